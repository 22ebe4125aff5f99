import { bareNames, contextShape } from './context.js';
import { helperNames } from './helpers.js';
import { templateInvalid } from './template-errors.js';

/** The nodes of Handlebars' syntax tree, as far as the check looks at them. */
export interface TemplateNode {
  type: string;
  loc?: { start: { line: number; column: number } };
  [key: string]: unknown;
}

/** What stands for a variable in the text that the lines are checked in: private characters, refused in templates. */
const bareMark = '\uE000';
const wholeMark = '\uE001';

const outputHelpers = ['quote', 'json'];
const innerHelpers: readonly string[] = helperNames;
const blockHelpers = ['if', 'unless', 'each', 'with'];

/** Rounds that one list may take: contexts hold no longer one. */
const listLength = 100;
/** Characters that one variable may yield, for the estimate of the largest output. */
const variableLength = 1024;
const maxOutputLength = 16 * 1024 * 1024;

interface Walk {
  name: string;
  /** Text with marks, and the template's line of each of its characters' lines. */
  text: string;
  lines: number[];
  /** Places of the variables that stand bare, in the order of their marks. */
  bare: string[];
  /** Upper bound of the output's length: lists are what rendering time grows with, so this bounds it as well. */
  length: number;
}

/**
 * Refuses what could let a value change the structure of the file: anything unescaped, a variable that is not the
 * whole of a scalar, one inside a multi-line string, partials, decorators, unknown helpers, and nested lists that
 * would make the output grow without bound, and a name that no context has. Throws `template-invalid` with the line.
 * Answers the places of the bare variables that are the whole of a scalar.
 */
export function checkTemplate(name: string, program: TemplateNode): ReadonlySet<string> {
  const walk: Walk = { name, text: '', lines: [1], bare: [], length: 0 };
  walkProgram(walk, program, 0, false);
  if (walk.length > maxOutputLength) throw templateInvalid(name, null, 'its nested lists could make it too large');
  return checkLines(walk);
}

/** Where a statement stands in its template. */
export function placeOf(statement: TemplateNode): string {
  const { line, column } = statement.loc?.start ?? { line: 0, column: 0 };
  return `${line}:${column}`;
}

function walkProgram(walk: Walk, program: TemplateNode, depth: number, scoped: boolean): void {
  for (const statement of program.body as TemplateNode[]) {
    const line = statement.loc?.start.line ?? null;
    switch (statement.type) {
      case 'ContentStatement':
        addText(walk, String(statement.original), line ?? 1, depth);
        break;
      case 'CommentStatement':
        break;
      case 'MustacheStatement':
        addMark(walk, outputMark(walk, statement, scoped), statement, depth);
        walk.length += variableLength * listLength ** depth;
        break;
      case 'BlockStatement':
        walkBlock(walk, statement, depth, scoped);
        break;
      default:
        throw templateInvalid(walk.name, line, `partials and decorators are not allowed`);
    }
  }
}

function walkBlock(walk: Walk, block: TemplateNode, depth: number, scoped: boolean): void {
  const line = block.loc?.start.line ?? null;
  const helper = pathOf(block.path);
  refuseStrips(walk, block, line);
  if (!blockHelpers.includes(helper)) throw templateInvalid(walk.name, line, `unknown block {{#${helper}}}`);
  checkParams(walk, block, scoped);
  const entersScope = helper === 'each' || helper === 'with';
  for (const part of [block.program, block.inverse] as Array<TemplateNode | null | undefined>) {
    if (part === null || part === undefined) continue;
    if (Array.isArray(part.blockParams) && part.blockParams.length > 0) {
      throw templateInvalid(walk.name, line, 'names after `as` are not allowed');
    }
    walkProgram(walk, part, helper === 'each' ? depth + 1 : depth, scoped || entersScope);
  }
}

/** Which mark a `{{…}}` leaves in the text; throws when it may not stand anywhere. */
function outputMark(walk: Walk, statement: TemplateNode, scoped: boolean): string {
  const line = statement.loc?.start.line ?? null;
  const name = pathOf(statement.path);
  refuseStrips(walk, statement, line);
  if (statement.escaped === false)
    throw templateInvalid(walk.name, line, `{{{${name}}}} is not allowed; use quote or json`);
  const params = statement.params as TemplateNode[];
  checkParams(walk, statement, scoped);
  if (params.length === 0 && bareNames.includes(name) && !scoped) return bareMark;
  if (params.length > 0 && outputHelpers.includes(name)) return wholeMark;
  const where = scoped && bareNames.includes(name) ? ' inside each and with' : '';
  throw templateInvalid(walk.name, line, `{{${name}}} must be written {{quote ${name}}} or {{json ${name}}}${where}`);
}

/** What a helper is given: known helpers, and names that there are. */
function checkParams(walk: Walk, call: TemplateNode, scoped: boolean): void {
  const line = call.loc?.start.line ?? null;
  const pairs = (call.hash as { pairs?: unknown[] } | undefined)?.pairs ?? [];
  if (pairs.length > 0) throw templateInvalid(walk.name, line, 'helpers take no `name=value`');
  for (const param of (call.params ?? []) as TemplateNode[]) {
    if (param.type === 'PathExpression') checkPath(walk, param, scoped);
    if (param.type !== 'SubExpression') continue;
    const name = pathOf(param.path);
    if (!innerHelpers.includes(name)) throw templateInvalid(walk.name, line, `unknown helper ${name}`);
    checkParams(walk, param, scoped);
  }
}

/** A name is the context's own, else a slip of the pen would silently be nothing. Inside each and with all may be. */
function checkPath(walk: Walk, path: TemplateNode, scoped: boolean): void {
  const line = path.loc?.start.line ?? null;
  const [first, ...rest] = path.parts as string[];
  const isRoot = path.data === true && first === 'root';
  if (path.data === true && !isRoot) return;
  if (scoped && !isRoot) return;
  const [top, field] = isRoot ? rest : [first, ...rest];
  if (top === undefined) return;
  const fields = Object.hasOwn(contextShape, top) ? contextShape[top] : undefined;
  if (fields === undefined) throw templateInvalid(walk.name, line, `there is no ${pathOf(path)}`);
  if (fields === 'any' || field === undefined || fields.includes(field)) return;
  throw templateInvalid(walk.name, line, `there is no ${pathOf(path)}; ${top} has ${fields.join(', ') || 'no parts'}`);
}

/** `~` joins lines, so that the line in the template is not the line in the file. */
function refuseStrips(walk: Walk, statement: TemplateNode, line: number | null): void {
  for (const key of ['strip', 'openStrip', 'closeStrip', 'inverseStrip']) {
    const strip = statement[key] as { open?: boolean; close?: boolean } | undefined;
    if (strip?.open === true || strip?.close === true) throw templateInvalid(walk.name, line, '`~` is not allowed');
  }
}

function addText(walk: Walk, text: string, line: number, depth: number): void {
  walk.length += text.length * listLength ** depth;
  const parts = text.split('\n');
  for (const [index, part] of parts.entries()) {
    if (index > 0) {
      walk.text += '\n';
      walk.lines.push(line + index);
    }
    if (part !== '') walk.lines[walk.lines.length - 1] = line + index;
    walk.text += part;
  }
}

/** The mark of one statement; where a bare one stands is kept. */
function addMark(walk: Walk, mark: string, statement: TemplateNode, depth: number): void {
  if (mark === bareMark) walk.bare.push(pathOf(statement.path) === 'iid' ? '' : placeOf(statement));
  addText(walk, mark, statement.loc?.start.line ?? 1, depth);
}

const wholeScalar = new RegExp(
  `^\\s*(?:- +)*(?:- +|(?:[\\w./-]+|"[^"\\\\${bareMark}${wholeMark}]*"|'[^'${bareMark}${wholeMark}]*'): +)${wholeMark}\\s*$`,
);
const bareScalar = new RegExp(
  `^\\s*(?:- +)*(?:- +|(?:[\\w./-]+|"[^"\\\\${bareMark}${wholeMark}]*"|'[^'${bareMark}${wholeMark}]*'): +)${bareMark}\\s*(?: #[^${bareMark}${wholeMark}]*)?$`,
);
const blockScalar = /(?:^|[:-] )(?:.* )?[|>][+-]?[1-9]?[+-]?[ \t]*(?:#.*)?$/;

/**
 * A line with a variable through quote or json holds a key or a dash, the variable, and nothing else. Answers the
 * places of the bare variables that stand so too; an iid, which is a number whatever happens, stays one.
 */
function checkLines(walk: Walk): Set<string> {
  const wholeScalars = new Set<string>();
  let blockIndent: number | null = null;
  let passed = 0;
  for (const [index, text] of walk.text.split('\n').entries()) {
    const line = walk.lines[index] ?? null;
    const indent = text.length - text.trimStart().length;
    const isBlank = text.trim() === '';
    if (blockIndent !== null && !isBlank && indent <= blockIndent) blockIndent = null;
    const hasMark = text.includes(bareMark) || text.includes(wholeMark);
    if (blockIndent !== null && hasMark) {
      throw templateInvalid(walk.name, line, 'a variable inside a multi-line string is not allowed; use an object');
    }
    if (text.includes(wholeMark) && !wholeScalar.test(text)) {
      throw templateInvalid(
        walk.name,
        line,
        'quote and json must be the whole value of a key or of a list item, alone on its line',
      );
    }
    const place = walk.bare[passed] ?? '';
    if (bareScalar.test(text) && place !== '') wholeScalars.add(place);
    passed += text.split(bareMark).length - 1;
    if (blockIndent === null && blockScalar.test(text)) blockIndent = indent;
  }
  return wholeScalars;
}

function pathOf(path: unknown): string {
  const original = (path as { original?: unknown } | undefined)?.original;
  return typeof original === 'string' ? original : String(original);
}
