/** What stands where a secret stood. */
export const redacted = '[redacted]';

/** A shorter value would also hide ordinary words and numbers. */
const shortestSecret = 6;

/**
 * The secret values that this process knows. A loaded configuration adds its own; each log line is searched for them,
 * so that a token which a library put into an error's text does not leave the process.
 */
export interface Secrets {
  /** Values shorter than 6 characters are ignored. Nothing is ever taken out: an old token may still be in flight. */
  add(values: Iterable<string>): void;
  /** True when the text of a line holds a known value, also JSON-escaped or percent-encoded. */
  foundIn(line: string): boolean;
  /** The text with every known value replaced. */
  mask(text: string): string;
}

/** A set of secret values, empty at first. */
export function createSecrets(values: Iterable<string> = []): Secrets {
  const known = new Set<string>();
  let pattern: RegExp | null = null;

  function add(more: Iterable<string>): void {
    for (const value of more) {
      // A file usually ends in a line feed that is not part of the secret.
      const trimmed = value.trim();
      if (trimmed.length >= shortestSecret) known.add(trimmed);
    }
    pattern = compile(known);
  }

  add(values);
  return {
    add,
    foundIn: (line) => pattern !== null && line.search(pattern) >= 0,
    mask: (text) => (pattern === null ? text : text.replace(pattern, redacted)),
  };
}

function compile(values: ReadonlySet<string>): RegExp | null {
  if (values.size === 0) return null;
  const spellings = new Set<string>();
  for (const value of values) {
    spellings.add(value);
    spellings.add(JSON.stringify(value).slice(1, -1));
    spellings.add(encodeURIComponent(value));
  }
  // The longest first: one secret may begin with another.
  const alternatives = [...spellings].sort((a, b) => b.length - a.length).map(escapePattern);
  return new RegExp(alternatives.join('|'), 'g');
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
