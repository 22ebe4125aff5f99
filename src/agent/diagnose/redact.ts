/** Shapes of secrets that programs print by mistake. Each is replaced as a whole or after its first group. */
const patterns: readonly RegExp[] = [
  // GitLab, GitHub, Slack, AWS, Stripe-like and npm tokens by their prefixes.
  /\b(?:gl(?:pat|dt|rt|cbt|soat|ptt|ft|imt|agent|oas|ffct)-[\w-]{10,}|gh[pousr]_\w{20,}|github_pat_\w{20,})/g,
  /\b(?:xox[abprs]-[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}|[sr]k_(?:live|test)_\w{10,}|npm_\w{30,})/g,
  // JSON web tokens.
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // Credentials in a URL, in a header, and values of fields that are named like secrets.
  /(:\/\/[^\s:/@]{0,64}:)[^\s@/]{1,256}(?=@)/g,
  /((?:\bauthorization\b["']?\s*[:=]\s*["']?)?\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi,
  /(\b[\w.-]{0,40}(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}/gi,
];

const mask = '[redacted]';

/** The text without what looks like a secret. */
export function redact(text: string): string {
  return patterns.reduce((clean, pattern) => clean.replace(pattern, replacement), text);
}

function replacement(_: string, first: unknown): string {
  // A pattern without a group gets the offset here.
  return typeof first === 'string' ? first + mask : mask;
}

// Tabs and line feeds stay: they become spaces.
const controls = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** One line of a stranger's text as it may travel: redacted, without control characters, at most `maxLength` long. */
export function cleanLine(text: string, maxLength: number): string {
  const clean = redact(text.replace(controls, '')).replace(/\s+/g, ' ').trim();
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength - 1)}…`;
}
