import { agentSchema } from './agent-schema.js';
import { managerSchema } from './manager-schema.js';
import { type JsonSchema, jsonSchemaOf } from './unknown-key.js';

/** One key of a configuration file. */
export interface KeyReference {
  /** `projects[].preview.name`. */
  key: string;
  type: string;
  required: boolean;
  /** The optional group that it is required in; null: it is required whatever else is written, or not at all. */
  within: string | null;
  /** As YAML would have it; null: there is none. */
  defaultValue: string | null;
  description: string;
}

/** JSON Schemas of `mayfly.yaml` and `agent.yaml`, for editors. */
export function configSchemas(): { manager: JsonSchema; agent: JsonSchema } {
  return { manager: jsonSchemaOf(managerSchema), agent: jsonSchemaOf(agentSchema) };
}

/** Every key that a value can be given to, in the order of the file. `defaults` stands for itself. */
export function keyReference(schema: JsonSchema): KeyReference[] {
  return keysBelow(schema, '', true, null);
}

function keysBelow(schema: JsonSchema, path: string, required: boolean, within: string | null): KeyReference[] {
  const isGroup = schema.properties !== undefined;
  if (path === 'defaults' || (!isGroup && !hasGroups(schema))) return [leaf(schema, path, required, within)];
  const optionalGroup = required ? within : path;
  if (isGroup) {
    return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
      const childRequired = schema.required?.includes(key) === true && child.default === undefined;
      return keysBelow(child, path === '' ? key : `${path}.${key}`, childRequired, optionalGroup);
    });
  }
  return schema.items === undefined ? [] : keysBelow(schema.items, `${path}[]`, true, optionalGroup);
}

function hasGroups(schema: JsonSchema): boolean {
  return schema.items?.properties !== undefined;
}

function leaf(schema: JsonSchema, key: string, required: boolean, within: string | null): KeyReference {
  return {
    key,
    type: typeInWords(schema),
    required,
    within: required ? within : null,
    defaultValue: schema.default === undefined || key === 'defaults' ? null : JSON.stringify(schema.default),
    description: schema.description ?? '',
  };
}

function typeInWords(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join(' \\| ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeInWords).join(' or ');
  if (schema.format === 'duration') return 'duration';
  if (schema.type === 'array') return 'list';
  if (schema.type === 'object') return 'keys';
  const words: Record<string, string> = {
    string: 'text',
    integer: 'number',
    number: 'number',
    boolean: 'true or false',
  };
  return words[schema.type ?? ''] ?? 'any';
}

/** The keys as a table of Markdown. */
export function keyTable(schema: JsonSchema): string {
  const rows = keyReference(schema).map((each) => {
    const otherwise = each.required ? requiredIn(each) : each.defaultValue === null ? '' : `\`${each.defaultValue}\``;
    return `| \`${each.key}\` | ${each.type} | ${otherwise} | ${each.description} |`;
  });
  return ['| key | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function requiredIn(key: KeyReference): string {
  return key.within === null ? '**required**' : `required with \`${key.within}\``;
}
