import { AppError } from '../../error/app-error.js';

export interface Subject {
  /** `mr:<project id>:<iid>`. */
  name: string;
  projectId: number;
  iid: number;
}

/** The merge requests of a group on one branch. */
export interface GroupSubject {
  /** `group:<name>:<source branch>`. */
  name: string;
  group: string;
  branch: string;
}

/** Reads the name of a merge request's subject; error `subject-invalid` for anything else. */
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

/** The subject of a linked preview by its name; null: it is not one's. */
export function parseGroupSubject(name: unknown): GroupSubject | null {
  const match = typeof name === 'string' ? /^group:([a-z0-9-]{1,63}):(.{1,300})$/s.exec(name) : null;
  return match === null ? null : { name: match[0], group: match[1] ?? '', branch: match[2] ?? '' };
}

export function groupSubject(group: string, branch: string): GroupSubject {
  return { name: `group:${group}:${branch}`, group, branch };
}
