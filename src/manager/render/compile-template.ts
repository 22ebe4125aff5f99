import Handlebars from 'handlebars';
import { checkTemplate, placeOf, type TemplateNode } from './check-template.js';
import { helperNames, registerHelpers } from './helpers.js';
import { templateInvalid } from './template-errors.js';
import { usesName } from './uses-name.js';

/** A template that passed the check. */
export interface Template {
  name: string;
  /** It comes with the program: nobody else could have written it. */
  isBuiltIn: boolean;
  /** It says itself what a preview that sleeps is; otherwise the agent alone knows. */
  usesAsleep: boolean;
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
  const wholeScalars = checkTemplate(name, parse(handlebars, name, text));
  const program = handlebars.parse(text) as unknown as TemplateNode;
  const usesAsleep = usesName(program, 'asleep');
  // Alone, a sha of digits or a branch called `null` would be no text any more.
  quoteAt(program, wholeScalars);
  const run = handlebars.compile(program, {
    noEscape: true,
    strict: true,
    preventIndent: true,
    knownHelpersOnly: true,
    knownHelpers: Object.fromEntries(helperNames.map((each) => [each, true])),
  });
  return {
    name,
    isBuiltIn,
    usesAsleep,
    render: (context) => run(context, { allowProtoMethodsByDefault: false, allowProtoPropertiesByDefault: false }),
  };
}

/** An instance of its own: nothing that another part of the process registers reaches a template. */
function createInstance(): typeof Handlebars {
  const handlebars = Handlebars.create();
  for (const helper of ['log', 'lookup', 'helperMissing', 'blockHelperMissing']) handlebars.unregisterHelper(helper);
  registerHelpers(handlebars);
  return handlebars;
}

/** The program with `quote` around these variables, each named by its place. */
function quoteAt(node: TemplateNode, places: ReadonlySet<string>): void {
  for (const statement of (node.body ?? []) as TemplateNode[]) {
    if (statement.type === 'MustacheStatement' && places.has(placeOf(statement))) {
      const path = { type: 'PathExpression', data: false, depth: 0, parts: ['quote'], original: 'quote' };
      statement.params = [statement.path];
      statement.path = { ...path, loc: statement.loc };
    }
    for (const part of [statement.program, statement.inverse]) {
      if (part !== null && part !== undefined) quoteAt(part as TemplateNode, places);
    }
  }
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
