import type Handlebars from 'handlebars';

/** Names of the helpers that every template may use. */
export const helperNames = ['quote', 'json', 'default', 'lower', 'truncate'] as const;

type Helper = (...values: unknown[]) => unknown;

/** What each helper does, and with how many values. */
const helpers: Record<(typeof helperNames)[number], { values: number; run: Helper }> = {
  quote: { values: 1, run: quote },
  json: { values: 1, run: json },
  default: { values: 2, run: defaultTo },
  lower: { values: 1, run: lower },
  truncate: { values: 2, run: truncate },
};

/** Registers the helpers; each is strict about its values, and an error names the template's line. */
export function registerHelpers(handlebars: typeof Handlebars): void {
  for (const name of helperNames) {
    const { values: count, run } = helpers[name];
    handlebars.registerHelper(name, (...given: unknown[]) => {
      const values = given.slice(0, -1);
      return atLine(given.at(-1), () => {
        if (values.length !== count) {
          throw new Error(`${name} takes ${count} ${count === 1 ? 'value' : 'values'}, not ${values.length}`);
        }
        return run(...values);
      });
    });
  }
}

/** Adds the template's line to an error. */
function atLine(options: unknown, call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    const line = (options as { loc?: { start?: { line?: number } } }).loc?.start?.line;
    // An inner helper has named its own line already.
    if (!(error instanceof Error) || line === undefined || error.message.startsWith('line ')) throw error;
    throw new Error(`line ${line}: ${error.message}`);
  }
}

/** Always a YAML string, whatever it looks like. */
function quote(value: unknown): string {
  if (isNothing(value)) throw new Error('quote was given nothing; use default or if');
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

/** The first value unless it is absent, null or empty. */
function defaultTo(value: unknown, otherwise: unknown): unknown {
  return isNothing(value) || value === '' ? otherwise : value;
}

function lower(value: unknown): string {
  return textOf('lower', value).toLowerCase();
}

/** The first so many characters; never half of one. */
function truncate(value: unknown, length: unknown): string {
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0) {
    throw new Error('truncate needs a whole number of characters as its second value');
  }
  return Array.from(textOf('truncate', value)).slice(0, length).join('');
}

function textOf(helper: string, value: unknown): string {
  if (isNothing(value)) throw new Error(`${helper} was given nothing; use default or if`);
  if (typeof value === 'object') throw new Error(`${helper} was given a list or an object; it takes a text`);
  return String(value);
}

function isNothing(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
