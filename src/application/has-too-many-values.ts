import { CST, Lexer } from 'yaml';

/** The parser needs about a kilobyte for each value, whatever its length: this many take some hundred megabytes. */
const maxTokens = 300_000;

const comma = 0x2c;
const colon = 0x3a;
const dash = 0x2d;
const question = 0x3f;
const lineFeed = 0x0a;
const bracket = 0x5b;
const brace = 0x7b;

const values: ReadonlySet<string | null> = new Set([
  'scalar',
  'single-quoted-scalar',
  'double-quoted-scalar',
  'alias',
  'comma',
  'doc-start',
  'explicit-key-ind',
  'flow-map-start',
  'flow-seq-start',
  'map-value-ind',
  'seq-item-ind',
]);

/** Whether YAML holds more values than any use needs. Asked before it is parsed; long strings count as one. */
export function hasTooManyValues(text: string): boolean {
  // Few files come near: the others cost one look at their characters.
  return seemsLarge(text) && isLarge(text);
}

/** Every value has one of these characters beside it, and may be three tokens. */
function seemsLarge(text: string): boolean {
  let left = maxTokens / 3;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const divides =
      code === comma ||
      code === lineFeed ||
      code === colon ||
      code === dash ||
      code === question ||
      code === bracket ||
      code === brace;
    if (divides) left -= 1;
    if (left < 0) return true;
  }
  return false;
}

function isLarge(text: string): boolean {
  let left = maxTokens;
  for (const token of new Lexer().lex(text)) {
    if (values.has(CST.tokenType(token))) left -= 1;
    if (left < 0) return true;
  }
  return false;
}
