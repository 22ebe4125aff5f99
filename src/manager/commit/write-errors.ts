import { AppError } from '../../error/app-error.js';

/** The server refuses every push to the branch. */
export function branchRefused(words: string): AppError {
  return new AppError({
    code: 'branch-refused',
    disposition: 'stall',
    publicMessage: `The Git server refuses pushes to the branch: ${words}`,
    data: { words },
  });
}

/** Others push all the time, so that no push of ours came through. */
export function branchBusy(attempts: number): AppError {
  return new AppError({
    code: 'branch-busy',
    disposition: 'retry',
    publicMessage: `The branch moved on ${attempts} times while Mayfly wrote; it tries again.`,
    data: { attempts },
  });
}
