import { AppError } from '../../error/app-error.js';

/** A template that may not be used. `line` counts from 1; null: the whole of it. */
export function templateInvalid(name: string, line: number | null, problem: string): AppError {
  const place = line === null ? `Template ${name}` : `Template ${name}, line ${line}`;
  return new AppError({
    code: 'template-invalid',
    disposition: 'stall',
    publicMessage: `${place}: ${problem}.`,
    data: { template: name, line, problem },
  });
}

/** A template that cannot be rendered for one preview. */
export function templateFailed(name: string, slug: string, problem: string, cause?: unknown): AppError {
  return new AppError({
    code: 'template-failed',
    disposition: 'stall',
    publicMessage: `Template ${name} gives no Application for ${slug}: ${problem.replace(/\.$/, '')}.`,
    data: { template: name, slug, problem },
    cause,
  });
}
