import type { DecideInput } from './decision.js';
import type { Desire } from './desire.js';
import type { Instant, Preview } from './preview.js';

/** What a row remembers of the warning before its end; its end is its term. */
type Warning = Pick<Preview, 'warnAt' | 'warnedAt' | 'warnedFor'>;

const none: Warning = { warnAt: null, warnedAt: null, warnedFor: null };

/**
 * The row with the warning that its end is near: once for each end, on what GitLab says now, and taken back when that
 * end moved. One that came too early, because the clock was ahead, names the right end all the same: it stands, and is
 * not told again in time. What has ended already, or is held, is warned of no more.
 */
export function applyWarning(row: Preview, want: Desire | null, input: DecideInput): Preview {
  if (row.phase === 'stopping' || row.phase === 'stopped' || input.policy === null || input.facts === null) {
    return row;
  }
  const warning = warningOf(row, want, input);
  const isSame =
    warning.warnAt === row.warnAt && warning.warnedAt === row.warnedAt && warning.warnedFor === row.warnedFor;
  return isSame ? row : { ...row, ...warning };
}

/** Whether a warning is to be told as soon as GitLab was asked. */
export function lacksWarning(row: Preview, want: Desire | null, input: DecideInput): boolean {
  const { reading, now } = input;
  return reading === 'none' && want?.runs === true && row.warnAt !== null && row.warnAt <= now && now < row.expiresAt;
}

function warningOf(row: Preview, want: Desire | null, input: DecideInput): Warning {
  const at = warnsAt(row, input);
  if (at === null) {
    return none;
  }
  if (row.warnedFor === row.expiresAt) {
    return { warnAt: null, warnedAt: row.warnedAt, warnedFor: row.warnedFor };
  }
  if (input.now < at) {
    return { ...none, warnAt: at };
  }
  if (input.now >= row.expiresAt || want?.runs !== true) {
    return none;
  }
  return input.reading === 'fresh'
    ? { warnAt: null, warnedAt: input.now, warnedFor: row.expiresAt }
    : { ...none, warnAt: at };
}

/** null: it needs none, because it does not expire, or its end is known from the merge. */
function warnsAt(row: Preview, { policy, facts }: DecideInput): Instant | null {
  const isSpared = policy === null || policy.warnMs === 0 || row.pinnedBy !== null || facts?.state === 'merged';
  return isSpared ? null : row.expiresAt - policy.warnMs;
}
