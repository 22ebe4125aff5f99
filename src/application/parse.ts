import { type Document, isAlias, isMap, isScalar, LineCounter, type ParsedNode, parseAllDocuments, visit } from 'yaml';
import { AppError } from '../error/app-error.js';

/** Largest file that is read, in UTF-8 bytes. */
export const maxFileBytes = 128 * 1024;

/** How often aliases may be expanded in one document: a few are a convenience, many are a bomb. */
const maxAliasCount = 50;

/** How deep values may nest. */
const maxDepth = 64;

/** Bounds of the same, for a text that was not parsed yet: columns before a line's first word, and open brackets. */
const maxIndent = 200;
const maxOpenBrackets = 200;

/** A JSON value: what a YAML file may hold. */
export type PlainValue = string | number | boolean | null | PlainValue[] | { [key: string]: PlainValue };

/**
 * The documents of a YAML text as plain JSON values; empty documents are left out. Tags, keys that are not strings,
 * keys that occur twice, dates, infinite numbers and `__proto__` are refused.
 * Errors: `application-too-large`, `application-not-yaml` (data: line, column), both with disposition stall.
 */
export function parseDocuments(text: string): PlainValue[] {
  if (Buffer.byteLength(text) > maxFileBytes) {
    throw new AppError({
      code: 'application-too-large',
      disposition: 'stall',
      publicMessage: `The file is larger than ${maxFileBytes / 1024} KiB.`,
    });
  }
  refuseDeep(text);
  const lineCounter = new LineCounter();
  const values: PlainValue[] = [];
  for (const document of readAll(text, lineCounter)) {
    // A warning is a tag or a directive that this reader does not know: another reader might see another value.
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) {
      throw notYaml(fault.message, fault.pos[0], lineCounter);
    }
    if (document.contents !== null) {
      refuseUnplain(document.contents, lineCounter);
      values.push(toPlain(document.toJS.bind(document), lineCounter));
    }
  }
  return values.filter((value) => value !== null);
}

/**
 * Refuses what nests past any use before the library sees it: it recurses, and V8 ends the whole process when the stack
 * runs out while a regular expression is compiled. Brackets in strings are counted too, which is why the bound is wide.
 */
function refuseDeep(text: string): void {
  let depth = 0;
  for (const [index, line] of text.split('\n').entries()) {
    const indent = /^[\s?:-]*/.exec(line)?.[0].length ?? 0;
    for (const character of line) {
      if (character === '[' || character === '{') {
        depth += 1;
      } else if ((character === ']' || character === '}') && depth > 0) {
        depth -= 1;
      }
    }
    if (indent > maxIndent || depth > maxOpenBrackets) {
      throw new AppError({
        code: 'application-not-yaml',
        disposition: 'stall',
        publicMessage: `The file is not plain YAML: line ${index + 1}: values nest too deep.`,
        data: { line: index + 1, column: 1 },
      });
    }
  }
}

function readAll(text: string, lineCounter: LineCounter): Document.Parsed[] {
  try {
    // Pretty errors quote the text around each of them: thousands of errors would cost minutes.
    const options = { lineCounter, version: '1.2', schema: 'core', uniqueKeys: true, prettyErrors: false } as const;
    const documents = parseAllDocuments(text, options);
    return 'empty' in documents ? [] : documents;
  } catch (error) {
    // Nested past what the reader's own stack holds.
    if (error instanceof RangeError) {
      throw notYaml('values nest too deep', 0, lineCounter);
    }
    throw error;
  }
}

function refuseUnplain(contents: ParsedNode, lineCounter: LineCounter): void {
  visit(contents, {
    Node(_, node, path) {
      const at = node.range?.[0] ?? 0;
      if (path.length > maxDepth * 2) {
        throw notYaml('values nest too deep', at, lineCounter);
      }
      if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:')) {
        throw notYaml(`the tag ${node.tag} is not allowed`, at, lineCounter);
      }
      if (isScalar(node) && typeof node.value === 'number' && !Number.isFinite(node.value)) {
        throw notYaml('a number is not finite', at, lineCounter);
      }
      if (isMap(node)) {
        refuseKeys(node.items, at, lineCounter);
      }
    },
  });
}

function refuseKeys(items: readonly { key: unknown }[], at: number, lineCounter: LineCounter): void {
  for (const { key } of items) {
    if (isAlias(key) || !isScalar(key) || typeof key.value !== 'string') {
      throw notYaml('a key is not a string', isScalar(key) ? (key.range?.[0] ?? at) : at, lineCounter);
    }
    if (key.value === '__proto__') {
      throw notYaml('a key may not be __proto__', key.range?.[0] ?? at, lineCounter);
    }
  }
}

function toPlain(toJS: (options: { maxAliasCount: number }) => unknown, lineCounter: LineCounter): PlainValue {
  try {
    const value = toJS({ maxAliasCount });
    // An alias shares its object in memory; the copy makes a tree, and drops what JSON has no word for.
    return JSON.parse(JSON.stringify(value)) as PlainValue;
  } catch (error) {
    // The library throws ReferenceError for too many aliases, and JSON throws TypeError for one that holds itself.
    if (error instanceof ReferenceError || error instanceof TypeError || error instanceof RangeError) {
      throw notYaml('its aliases cannot be expanded', 0, lineCounter);
    }
    throw error;
  }
}

function notYaml(what: string, offset: number, lineCounter: LineCounter): AppError {
  const { line, col } = lineCounter.linePos(offset);
  return new AppError({
    code: 'application-not-yaml',
    disposition: 'stall',
    publicMessage: `The file is not plain YAML: line ${line}: ${what}.`,
    data: { line, column: col },
  });
}
