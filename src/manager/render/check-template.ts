import { bareNames } from './context.js';
import { templateInvalid } from './template-errors.js';

/** The nodes of Handlebars' syntax tree, as far as the check looks at them. */
export interface TemplateNode {
  type: string;
  loc?: { start: { line: number } };
  [key: string]: unknown;
}

/** What stands for a variable in the text that the lines are checked in: private characters, refused in templates. */
const bareMark = '\uE000';
const wholeMark = '\uE001';

const outputHelpers = ['quote', 'json'];
const innerHelpers = ['default', 'lower', 'truncate', ...outputHelpers];
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
  /** Upper bound of the output's length: lists are what rendering time grows with, so this bounds it as well. */
  length: number;
}

/**
 * Refuses what could let a value change the structure of the file: anything unescaped, a variable that is not the
 * whole of a scalar, one inside a multi-line string, partials, decorators, unknown helpers, and nested lists that
 * would make the output grow without bound. Throws `template-invalid` with the line.
 */
export function checkTemplate(name: string, program: TemplateNode): void {
  const walk: Walk = { name, text: '', lines: [1], length: 0 };
  walkProgram(walk, program, 0, false);
  if (walk.length > maxOutputLength) throw templateInvalid(name, null, 'its nested lists could make it too large');
  checkLines(walk);
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
        addText(walk, outputMark(walk, statement, scoped), line ?? 1, depth);
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
  for (const param of block.params as TemplateNode[]) checkParam(walk, param, line);
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
  for (const param of params) checkParam(walk, param, line);
  if (params.length === 0 && bareNames.includes(name) && !scoped) return bareMark;
  if (params.length > 0 && outputHelpers.includes(name)) return wholeMark;
  const where = scoped && bareNames.includes(name) ? ' inside each and with' : '';
  throw templateInvalid(walk.name, line, `{{${name}}} must be written {{quote ${name}}} or {{json ${name}}}${where}`);
}

function checkParam(walk: Walk, param: TemplateNode, line: number | null): void {
  if (param.type !== 'SubExpression') return;
  const name = pathOf(param.path);
  if (!innerHelpers.includes(name)) throw templateInvalid(walk.name, line, `unknown helper ${name}`);
  for (const inner of param.params as TemplateNode[]) checkParam(walk, inner, line);
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

const wholeScalar = new RegExp(
  `^\\s*(?:- +)*(?:- +|(?:[\\w./-]+|"[^"\\\\${bareMark}${wholeMark}]*"|'[^'${bareMark}${wholeMark}]*'): +)${wholeMark}\\s*$`,
);
const blockScalar = /(?:^|[:-] )(?:.* )?[|>][+-]?[1-9]?[+-]?[ \t]*(?:#.*)?$/;

/** A line with a variable through quote or json holds a key or a dash, the variable, and nothing else. */
function checkLines(walk: Walk): void {
  let blockIndent: number | null = null;
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
    if (blockIndent === null && blockScalar.test(text)) blockIndent = indent;
  }
}

function pathOf(path: unknown): string {
  const original = (path as { original?: unknown } | undefined)?.original;
  return typeof original === 'string' ? original : String(original);
}
