import type { Secrets } from './secrets.js';

/** A log line with every secret replaced inside its strings, so that the line stays valid JSON. */
export function maskLine(secrets: Secrets, line: string): string {
  // Nearly every line is free of secrets and is passed on as it is.
  if (!secrets.foundIn(line)) return line;
  return `${JSON.stringify(maskValue(secrets, JSON.parse(line)))}\n`;
}

function maskValue(secrets: Secrets, value: unknown): unknown {
  if (typeof value === 'string') return secrets.mask(value);
  if (typeof value === 'number') return secrets.foundIn(String(value)) ? secrets.mask(String(value)) : value;
  if (Array.isArray(value)) return value.map((item) => maskValue(secrets, item));
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).map(([key, item]) => [secrets.mask(key), maskValue(secrets, item)]);
    return Object.fromEntries(entries);
  }
  return value;
}
