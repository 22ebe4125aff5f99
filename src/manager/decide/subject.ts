import { AppError } from '../../error/app-error.js';

export interface Subject {
  /** `mr:<project id>:<iid>`. */
  name: string;
  projectId: number;
  iid: number;
}

/** Reads the name of a subject; error `subject-invalid` for anything else. */
export function parseSubject(name: unknown): Subject {
  const match = typeof name === 'string' ? /^mr:(\d{1,15}):(\d{1,9})$/.exec(name) : null;
  if (match === null) {
    throw new AppError({
      code: 'subject-invalid',
      disposition: 'stall',
      publicMessage: 'A job names no merge request and was not carried out. Report this fault of Mayfly.',
      data: { subject: String(name).slice(0, 100) },
    });
  }
  return { name: match[0], projectId: Number(match[1]), iid: Number(match[2]) };
}
