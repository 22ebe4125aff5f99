const pausesMs = [2_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000];
const longestPauseMs = 60_000;

/**
 * How long until an image is looked for again, in milliseconds. `looks`: how often it was looked for since something
 * last happened to its commit, this time included. What a person must mend first is looked at rarely from the start.
 */
export function imagePauseMs(looks: number, stuck: boolean): number {
  return stuck ? longestPauseMs : (pausesMs[Math.max(0, looks - 1)] ?? longestPauseMs);
}
