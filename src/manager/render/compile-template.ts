import Handlebars from 'handlebars';
import { checkTemplate, type TemplateNode } from './check-template.js';
import { templateInvalid } from './template-errors.js';

/** A template that passed the check. */
export interface Template {
  name: string;
  /** It comes with the program: nobody else could have written it. */
  isBuiltIn: boolean;
  render(context: Record<string, unknown>): string;
}

const maxTemplateLength = 64 * 1024;

/** Compiles a template after its syntax tree was checked. Throws `template-invalid` with the line of the first fault. */
export function compileTemplate(name: string, text: string, isBuiltIn: boolean): Template {
  if (text.length > maxTemplateLength) {
    throw templateInvalid(name, null, `it is longer than ${maxTemplateLength} characters`);
  }
  if (/[\uE000\uE001\0]/.test(text)) throw templateInvalid(name, null, 'it holds a character that is not allowed');
  const handlebars = createInstance();
  checkTemplate(name, parse(handlebars, name, text));
  const run = handlebars.compile(text, {
    noEscape: true,
    strict: true,
    preventIndent: true,
    knownHelpersOnly: true,
    knownHelpers: { quote: true, json: true, default: true, lower: true, truncate: true },
  });
  return {
    name,
    isBuiltIn,
    render: (context) => run(context, { allowProtoMethodsByDefault: false, allowProtoPropertiesByDefault: false }),
  };
}

/** An instance of its own: nothing that another part of the process registers reaches a template. */
function createInstance(): typeof Handlebars {
  const handlebars = Handlebars.create();
  for (const helper of ['log', 'lookup', 'helperMissing', 'blockHelperMissing']) handlebars.unregisterHelper(helper);
  handlebars.registerHelper('quote', (value: unknown, options: unknown) => atLine(options, () => quote(value)));
  handlebars.registerHelper('json', (value: unknown, options: unknown) => atLine(options, () => json(value)));
  handlebars.registerHelper('default', (value: unknown, otherwise: unknown) =>
    value === undefined || value === null || value === '' ? otherwise : value,
  );
  handlebars.registerHelper('lower', (value: unknown) => String(value).toLowerCase());
  handlebars.registerHelper('truncate', (value: unknown, length: unknown) =>
    Array.from(String(value)).slice(0, Number(length)).join(''),
  );
  return handlebars;
}

function parse(handlebars: typeof Handlebars, name: string, text: string): TemplateNode {
  try {
    // Without processing: the text of each line as it stands in the template.
    return handlebars.parseWithoutProcessing(text) as unknown as TemplateNode;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const line = (error as { hash?: { loc?: { first_line?: number } } }).hash?.loc?.first_line;
    throw templateInvalid(
      name,
      line ?? null,
      error.message.split('\n', 1)[0]?.replace(/:$/, '') ?? 'it cannot be read',
    );
  }
}

/** Adds the template's line to an error. */
function atLine(options: unknown, write: () => string): string {
  try {
    return write();
  } catch (error) {
    const line = (options as { loc?: { start?: { line?: number } } }).loc?.start?.line;
    if (!(error instanceof Error) || line === undefined) throw error;
    throw new Error(`line ${line}: ${error.message}`);
  }
}

/** Always a YAML string, whatever it looks like. */
function quote(value: unknown): string {
  if (value === undefined || value === null) throw new Error('quote was given nothing; use default or if');
  if (typeof value === 'object') throw new Error('quote was given a list or an object; use json');
  return json(String(value));
}

/** JSON is YAML, but for characters that YAML does not let stand as they are. */
function json(value: unknown): string {
  const text = JSON.stringify(value);
  if (text === undefined) throw new Error('json was given nothing; use default or if');
  return text.replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
