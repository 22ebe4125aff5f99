/** What the lines from here on belong to, until `ends` says that a line is the last of it. */
interface Block {
  ends: (line: string) => boolean;
}

/**
 * The lines of a Markdown text that are its author's plain words: without code blocks, HTML comments, HTML blocks and
 * quotes. These are the places where GitLab looks for no quick action either. What is never closed reaches to the end
 * (HTML: to the next empty line), as Markdown has it.
 */
export function markdownLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  const closings = lastClosings(lines);
  const plain: string[] = [];
  let block: Block | null = null;
  for (const [index, line] of lines.entries()) {
    if (block !== null) {
      block = block.ends(line) ? null : block;
      continue;
    }
    block = blockAt(line, index, closings);
    if (block === null && !isQuoteOrIndented(line)) {
      plain.push(line);
    }
  }
  return plain;
}

function blockAt(line: string, index: number, closings: Map<string, number>): Block | null {
  return fenceAt(line) ?? quoteAt(line) ?? commentAt(line) ?? htmlAt(line, index, closings);
}

function fenceAt(line: string): Block | null {
  const match = /^ {0,3}(?:(`{3,})[^`]*|(~{3,}).*)$/.exec(line);
  const fence = match?.[1] ?? match?.[2];
  if (fence === undefined) {
    return null;
  }
  const mark = fence.startsWith('~') ? '~' : '`';
  const closing = new RegExp(`^ {0,3}${mark}{${fence.length},}[ \\t]*$`);
  return { ends: (next) => closing.test(next) };
}

/** GitLab's block quote of several lines, between two lines of `>>>`. */
function quoteAt(line: string): Block | null {
  return /^>>>[ \t]*$/.test(line) ? { ends: (next) => /^>>>[ \t]*$/.test(next) } : null;
}

function commentAt(line: string): Block | null {
  const opened = line.lastIndexOf('<!--');
  return opened >= 0 && !line.includes('-->', opened + 4) ? { ends: (next) => next.includes('-->') } : null;
}

function htmlAt(line: string, index: number, closings: Map<string, number>): Block | null {
  const tag = /^ {0,3}<([a-z][a-z0-9-]*)(?=[\s/>]|$)/i.exec(line)?.[1]?.toLowerCase();
  if (tag === undefined) {
    return null;
  }
  const closing = `</${tag}>`;
  if (line.toLowerCase().includes(closing)) {
    return null;
  }
  const isClosed = (closings.get(tag) ?? -1) > index;
  return { ends: (next) => (isClosed ? next.toLowerCase().includes(closing) : next.trim() === '') };
}

/** For each tag, the last line that closes it: looked up, not searched, so that a long comment costs no more than its length. */
function lastClosings(lines: string[]): Map<string, number> {
  const last = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    for (const match of line.matchAll(/<\/([a-z][a-z0-9-]*)>/gi)) {
      last.set((match[1] ?? '').toLowerCase(), index);
    }
  }
  return last;
}

function isQuoteOrIndented(line: string): boolean {
  return /^(?: {4}|\t| {0,3}>)/.test(line);
}
