import type { Instant } from './preview.js';

/** Commands that were written before. */
interface WrittenCommands {
  by: string;
  at: Instant;
  /** How many the comment held; 0: it came over the limit. */
  commands: number;
}

/** Commands that one person may write in one merge request, and in how long. */
export const commandLimit = { commands: 20, windowMs: 600_000 };

/**
 * Whether a comment takes its author over the limit, by the times of the comments alone, so that it does not matter when
 * they are read. One alone never does, however many it holds. `told`: its author was told already, by an earlier comment
 * of that while.
 */
export function isTooMany(
  note: WrittenCommands,
  earlier: readonly WrittenCommands[],
): { limited: boolean; told: boolean } {
  const counted = earlier.filter(
    ({ by, at }) => by === note.by && at <= note.at && at > note.at - commandLimit.windowMs,
  );
  const used = counted.reduce((sum, { commands }) => sum + commands, 0);
  const wanted = used + Math.min(note.commands, commandLimit.commands);
  return { limited: wanted > commandLimit.commands, told: counted.some(({ commands }) => commands === 0) };
}
