/** Alternatives that one pattern may stand for. */
const maxAlternatives = 64;
const maxGlobLength = 1_000;

type Piece = { any: 'one' | 'some' } | { oneOf: string; not: boolean } | { literal: string };

/**
 * Argo CD's patterns for `directory.include` and `exclude`, over the path below the source's folder: `*` and `**` stand
 * for any text, slashes too; `?` for one character; `[a-c]`, `[!a]`; `{a,b}` for either; a backslash takes the meaning
 * from what follows. Null for a pattern that is not well-formed or stands for too many others.
 */
export function compileGlob(pattern: string): ((path: string) => boolean) | null {
  if (pattern.length > maxGlobLength) return null;
  const alternatives = expandBraces(pattern);
  const compiled = alternatives?.map(toPieces);
  if (compiled === undefined || compiled.includes(null)) return null;
  return (path) => compiled.some((pieces) => pieces !== null && matches(pieces, [...path]));
}

/** `a{b,c{d,e}}` → `ab`, `acd`, `ace`; null when a brace stays open or there are too many. */
function expandBraces(pattern: string): string[] | null {
  const open = findUnescaped(pattern, 0, '{');
  if (open < 0) return [pattern];
  const inner: string[] = [];
  let depth = 1;
  let from = open + 1;
  let at = open + 1;
  for (; at < pattern.length && depth > 0; at += 1) {
    const character = pattern[at];
    if (character === '\\') at += 1;
    else if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    if ((character === ',' && depth === 1) || depth === 0) {
      inner.push(pattern.slice(from, at));
      from = at + 1;
    }
  }
  if (depth > 0) return null;
  const all: string[] = [];
  for (const each of inner) {
    const expanded = expandBraces(pattern.slice(0, open) + each + pattern.slice(at));
    if (expanded === null || all.length + expanded.length > maxAlternatives) return null;
    all.push(...expanded);
  }
  return all;
}

function findUnescaped(text: string, from: number, wanted: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === wanted) return at;
  }
  return -1;
}

function toPieces(pattern: string): Piece[] | null {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (character === '*') {
      // `**` is `*` here: without separators both take everything.
      if (pattern[at + 1] !== '*') pieces.push({ any: 'some' });
    } else if (character === '?') {
      pieces.push({ any: 'one' });
    } else if (character === '[') {
      const end = findUnescaped(pattern, at + 2, ']');
      if (end < 0) return null;
      const inside = pattern.slice(at + 1, end);
      const not = inside.startsWith('!');
      pieces.push({ oneOf: inside.slice(not ? 1 : 0), not });
      at = end;
    } else if (character === '\\') {
      at += 1;
      if (at >= pattern.length) return null;
      pieces.push({ literal: pattern[at] ?? '' });
    } else {
      pieces.push({ literal: character });
    }
  }
  return pieces;
}

/** Steps back to the last `*` alone, so that no pattern takes more than its length times the path's. */
function matches(pieces: readonly Piece[], path: readonly string[]): boolean {
  let piece = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < path.length) {
    const wanted = pieces[piece];
    if (wanted !== undefined && 'any' in wanted && wanted.any === 'some') {
      star = piece;
      starAt = at;
      piece += 1;
    } else if (wanted !== undefined && takes(wanted, path[at] ?? '')) {
      piece += 1;
      at += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      piece = star + 1;
    } else {
      return false;
    }
  }
  return pieces.slice(piece).every((rest) => 'any' in rest && rest.any === 'some');
}

function takes(piece: Piece, character: string): boolean {
  if ('literal' in piece) return piece.literal === character;
  if ('any' in piece) return true;
  let found = false;
  const { oneOf } = piece;
  for (let at = 0; at < oneOf.length; at += 1) {
    if (oneOf[at + 1] === '-' && at + 2 < oneOf.length) {
      found ||= character >= (oneOf[at] ?? '') && character <= (oneOf[at + 2] ?? '');
      at += 2;
    } else {
      found ||= oneOf[at] === character;
    }
  }
  return found !== piece.not;
}
