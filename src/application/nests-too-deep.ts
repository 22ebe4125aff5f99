import { CST, Lexer } from 'yaml';

/** Brackets and braces in one another. */
const maxFlowDepth = 100;
/** Columns in front of a line's first word; each level of a block has at least one. */
const maxColumns = 200;

/**
 * Whether YAML nests past any use. Asked before it is parsed: the parser recurses, and V8 ends the whole process when the
 * stack runs out at the wrong moment. Text inside of strings and comments does not count.
 */
export function nestsTooDeep(text: string): boolean {
  // Few files come near: the others cost one look at their characters.
  return seemsDeep(text) && isDeep(text);
}

function seemsDeep(text: string): boolean {
  let depth = 0;
  for (const line of text.split('\n')) {
    let indicators = 0;
    for (let at = 0; at < line.length; at += 1) {
      const character = line[at];
      if (character === '[' || character === '{') depth += 1;
      else if ((character === ']' || character === '}') && depth > 0) depth -= 1;
      else if (character === '-' || character === '?' || character === ':') indicators += 1;
      if (depth > maxFlowDepth || indicators > maxFlowDepth) return true;
    }
    if (line.length > maxColumns && line.search(/\S/) > maxColumns) return true;
  }
  return false;
}

function isDeep(text: string): boolean {
  let depth = 0;
  /** Of the line: blanks in front, and the indicators of blocks, each of which may open one. */
  let column = 0;
  let indicators = 0;
  let begun = false;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    if (type === 'flow-map-start' || type === 'flow-seq-start') depth += 1;
    else if (type === 'flow-map-end' || type === 'flow-seq-end') depth -= 1;
    else if (type === 'doc-start' || type === 'doc-end') depth = 0;
    else if (type === 'newline') {
      [column, indicators, begun] = [0, 0, false];
      continue;
    } else if (type === 'space' && !begun) column += token.length;
    else if (depth <= 0 && (type === 'seq-item-ind' || type === 'explicit-key-ind' || type === 'map-value-ind')) {
      indicators += 1;
    }
    if (depth > maxFlowDepth || indicators > maxFlowDepth) return true;
    const isWord = type !== 'space' && type !== 'comment' && type !== 'doc-mode' && type !== 'byte-order-mark';
    if (isWord && !begun && column > maxColumns) return true;
    begun ||= isWord;
  }
  return false;
}
