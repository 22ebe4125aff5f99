import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { formatPath } from './problem.js';

/** The parts of a JSON schema that a search for keys looks at. */
export interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  format?: string;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  additionalProperties?: JsonSchema | boolean;
}

/** What may be written in a file of this schema, as JSON Schema. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    // A field that transforms what is written loses its default on the way, so it is also noted beside the description.
    override({ zodSchema, jsonSchema }) {
      const noted = z.globalRegistry.get(zodSchema)?.default;
      if (noted !== undefined) jsonSchema.default = noted;
    },
  }) as JsonSchema;
}

/** `unknown key. Did you mean …?`: the nearest key known at that place, or where a key of that very name belongs. */
export function explainUnknownKey(schema: z.ZodType, path: readonly PropertyKey[], key: string): string {
  const root = jsonSchemaOf(schema);
  const known = Object.keys(at(root, path)?.properties ?? {});
  const nearest = known.length === 0 ? null : closest(key, known);
  const alike = nearest !== null && distance(key.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, key.length / 3);
  if (alike) return `unknown key. Did you mean \`${nearest}\`?`;
  const elsewhere = placesOf(root, key);
  const hint = elsewhere.length === 0 ? '' : ` A key of this name belongs at ${elsewhere.map(quoted).join(' or ')}.`;
  const near =
    nearest === null
      ? ''
      : known.length === 1
        ? ` The only key here is \`${nearest}\`.`
        : ` The nearest key here is \`${nearest}\`; known are ${known.map(quoted).join(', ')}.`;
  return `unknown key, which this version does not have.${hint}${near}`;
}

function quoted(name: string): string {
  return `\`${name}\``;
}

function at(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | undefined {
  let node: JsonSchema | undefined = schema;
  for (const key of path) {
    const options: JsonSchema[] = [node, ...(node?.anyOf ?? [])].filter((each) => each !== undefined);
    node =
      typeof key === 'number'
        ? options.find((each) => each.items !== undefined)?.items
        : options.find((each) => each.properties !== undefined)?.properties?.[String(key)];
  }
  return [node, ...(node?.anyOf ?? [])].find((each) => each?.properties !== undefined);
}

/** Where keys of this name stand, at most two; `defaults` repeats the keys of a project and is left out. */
function placesOf(root: JsonSchema, name: string): string[] {
  const found: string[] = [];
  function search(node: JsonSchema, path: string[]): void {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      if (path.length === 0 && key === 'defaults') continue;
      if (key === name) found.push(formatPath([...path, key]));
      search(child, [...path, key]);
    }
    if (node.items) search(node.items, [...path.slice(0, -1), `${path.at(-1)}[]`]);
    for (const option of node.anyOf ?? []) search(option, path);
  }
  search(root, []);
  return found.slice(0, 2);
}
