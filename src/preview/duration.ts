const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/**
 * Milliseconds of a duration such as `30m`, `2h`, `2d`, `1w` or `1d12h`; null when the text is none.
 * Whole numbers only, each unit at most once and the larger first.
 */
export function parseDuration(text: string): number | null {
  const match = /^(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text);
  if (match === null || text === '') {
    return null;
  }
  const units = ['w', 'd', 'h', 'm', 's'];
  return units.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * (unitMs[unit] ?? 0), 0);
}

/** The duration in words that `parseDuration` reads, such as `1d12h`; cut to whole seconds, `0s` for none. */
export function formatDuration(durationMs: number): string {
  let rest = Math.max(0, Math.floor(durationMs / 1_000)) * 1_000;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = unitMs[unit] ?? 1;
    const count = Math.floor(rest / size);
    rest -= count * size;
    text += count > 0 ? `${count}${unit}` : '';
  }
  return text === '' ? '0s' : text;
}
