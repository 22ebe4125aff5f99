/** Characters that could change what a terminal, a log line or a commit's trailers show. */
const controls = /(?!\n)[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text of a stranger with control characters removed, lines kept, at most `maxLength` characters. */
export function cleanLines(text: string, maxLength: number): string {
  const clean = text.replace(/\r\n?/g, '\n').replace(controls, '').trim();
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength - 1).trimEnd()}…`;
}

/** The same as one line. */
export function cleanLine(text: string, maxLength: number): string {
  return cleanLines(text.replace(/\s+/g, ' '), maxLength);
}
