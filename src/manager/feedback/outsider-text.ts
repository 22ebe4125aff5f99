/** Longest sentence of an outsider that the note repeats. */
const maxSentence = 500;
const maxLines = 40;
const maxLine = 400;

/** Control characters, and those that reorder or hide text. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * An outsider's words as a code span: no mention, link, reference, quick action or HTML comes of them, and nothing in
 * them can end the span. Safe in a table cell, too.
 */
export function codeSpan(text: string): string {
  const line = cut(text.replace(/\s+/g, ' ').replace(invisible, '').trim(), maxSentence);
  return line === '' ? '' : `\`${line.replaceAll('`', "'").replaceAll('|', '¦')}\``;
}

/** An outsider's lines, such as a log, as a code block whose fence is longer than any run of backticks in it. */
export function codeBlock(lines: readonly string[]): string {
  const shown = lines
    .flatMap((line) => line.split(/\r\n|\r|\n/))
    .slice(-maxLines)
    .map((line) => cut(line.replaceAll('\t', '  ').replace(invisible, ''), maxLine));
  const longestRun = Math.max(0, ...shown.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)));
  const fence = '`'.repeat(Math.max(3, longestRun + 1));
  return [`${fence}text`, ...shown, fence].join('\n');
}

/** A Markdown link to an address of the configuration, its host as the text; null when it is no address of the web. */
export function hostLink(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
  const target = url.href.replace(/[<>()|\s]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  return `[${url.host.replace(/[[\]|]/g, '')}](${target})`;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
