/** Shapes of secrets that programs print by mistake. Each is replaced as a whole or after its first group. */
const patterns: readonly RegExp[] = [
  // GitLab, GitHub, Slack, AWS, Stripe-like and npm tokens by their prefixes.
  /\b(?:gl(?:pat|dt|rt|cbt|soat|ptt|ft|imt|agent|oas|ffct)-[\w-]{10,}|gh[pousr]_\w{20,}|github_pat_\w{20,})/g,
  /\b(?:xox[abprs]-[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}|[sr]k_(?:live|test)_\w{10,}|npm_\w{30,})/g,
  // JSON web tokens.
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
  // Credentials in a URL, in a header, and values of fields that are named like secrets.
  /(:\/\/[^\s:/@]{0,64}:)[^\s@/]{1,256}(?=@)/g,
  /((?:\bauthorization\b["']?\s*[:=]\s*["']?)?\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi,
  /(\b[\w.-]{0,40}(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}/gi,
];

const mask = '[redacted]';

/** Takes out what must not travel. */
export interface Redactor {
  /** Of any length, lines and all. */
  text(text: string): string;
  /** One line of a stranger's text as it may travel: redacted, without control characters, at most `maxLength` long. */
  line(text: string, maxLength: number): string;
}

/** A redactor of everything that looks like a secret, and of these values wherever they stand, the longest first. */
export function createRedactor(values: readonly string[]): Redactor {
  const longestFirst = [...new Set(values)].sort((a, b) => b.length - a.length);

  function clean(text: string): string {
    // Values first: a pattern could leave the half of one.
    const without = longestFirst.reduce(
      (rest, value) => (value.length <= rest.length && rest.includes(value) ? rest.replaceAll(value, mask) : rest),
      text,
    );
    return patterns.reduce((rest, pattern) => rest.replace(pattern, replacement), without);
  }

  return {
    text: clean,
    line: (text, maxLength) => {
      // A control character inside a secret must not hide it: looked for before and after they are gone.
      const visible = clean(clean(text).replace(controls, '')).replace(/\s+/g, ' ').trim();
      return visible.length <= maxLength ? visible : `${visible.slice(0, maxLength - 1)}…`;
    },
  };
}

function replacement(_: string, first: unknown): string {
  // A pattern without a group gets the offset here.
  return typeof first === 'string' ? first + mask : mask;
}

// Tabs and line feeds stay: they become spaces.
const controls = /(?![\t\n])[\p{Cc}\p{Cf}]/gu;

const byPatterns = createRedactor([]);

/** The text without what looks like a secret. */
export function redact(text: string): string {
  return byPatterns.text(text);
}

/** One line of a stranger's text, where the values of secrets are not at hand. */
export function cleanLine(text: string, maxLength: number): string {
  return byPatterns.line(text, maxLength);
}
