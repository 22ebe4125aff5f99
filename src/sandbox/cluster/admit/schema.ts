import { isObject, type JsonObject } from '../object.js';

interface Field {
  baseName: string;
  type: string;
}

/** The fields of every kind, as the models of the Kubernetes client declare them. */
export interface Schema {
  /** The model of a kind, when there is one. */
  has(apiVersion: string, kind: string): boolean;
  check(object: JsonObject, apiVersion: string, kind: string): SchemaFindings;
}

interface SchemaFindings {
  /** The object without the fields that the kind does not have. */
  known: JsonObject;
  /** Paths of unknown fields: `spec.replica`, `spec.containers[0].img`. */
  unknown: string[];
  /** Values of another type than the field's. */
  mistyped: { path: string; expected: string; found: string }[];
}

/** Loads the client's models; done once, when the first stand-in starts, since it takes a moment. */
export async function loadSchema(): Promise<Schema> {
  const models: Record<string, unknown> = await import('@kubernetes/client-node');
  const cache = new Map<string, Map<string, string> | undefined>();

  function fieldsOf(type: string): Map<string, string> | undefined {
    if (!cache.has(type)) cache.set(type, readFields(models[type]));
    return cache.get(type);
  }
  return {
    has: (apiVersion, kind) => modelName(fieldsOf, apiVersion, kind) !== undefined,
    check(object, apiVersion, kind) {
      const findings: SchemaFindings = { known: object, unknown: [], mistyped: [] };
      const model = modelName(fieldsOf, apiVersion, kind);
      if (model !== undefined) findings.known = walk(object, model, '', findings, fieldsOf) as JsonObject;
      return findings;
    },
  };
}

type FieldsOf = (type: string) => Map<string, string> | undefined;

function modelName(fieldsOf: FieldsOf, apiVersion: string, kind: string): string | undefined {
  const version = (apiVersion.split('/').at(-1) ?? '').replace(/^v/, 'V');
  const prefix = apiVersion.startsWith('events.') ? 'Events' : 'Core';
  return [`${version}${kind}`, `${prefix}${version}${kind}`].find((name) => fieldsOf(name) !== undefined);
}

function readFields(model: unknown): Map<string, string> | undefined {
  if (typeof model !== 'function' || !('getAttributeTypeMap' in model)) return undefined;
  if (typeof model.getAttributeTypeMap !== 'function') return undefined;
  const fields = model.getAttributeTypeMap() as Field[];
  return new Map(fields.map((field) => [field.baseName, field.type]));
}

function walk(value: unknown, type: string, path: string, findings: SchemaFindings, fieldsOf: FieldsOf): unknown {
  if (value === null || value === undefined || type === 'any' || type === 'object') return value;
  const list = /^(?:Array|Set)<(.*)>$/.exec(type);
  if (list !== null) {
    if (!Array.isArray(value)) return mistyped(value, 'array', path, findings);
    return value.map((item, i) => walk(item, list[1] ?? 'any', `${path}[${i}]`, findings, fieldsOf));
  }
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map !== null) {
    if (!isObject(value)) return mistyped(value, 'map', path, findings);
    const entries = Object.entries(value);
    return Object.fromEntries(
      entries.map(([key, item]) => [key, walk(item, map[1] ?? 'any', `${path}.${key}`, findings, fieldsOf)]),
    );
  }
  const fields = fieldsOf(type);
  return fields === undefined
    ? scalar(value, type, path, findings)
    : walkModel(value, fields, path, findings, fieldsOf);
}

function walkModel(
  value: unknown,
  fields: Map<string, string>,
  path: string,
  findings: SchemaFindings,
  fieldsOf: FieldsOf,
): unknown {
  if (!isObject(value)) return mistyped(value, 'map', path, findings);
  const known: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const fieldPath = path === '' ? key : `${path}.${key}`;
    const type = fields.get(key);
    if (type === undefined) findings.unknown.push(fieldPath);
    else known[key] = walk(item, type, fieldPath, findings, fieldsOf);
  }
  return known;
}

function scalar(value: unknown, type: string, path: string, findings: SchemaFindings): unknown {
  const found = typeof value;
  // A quantity is a string to the models, and the server takes a number too.
  const isQuantity = /\.(limits|requests|hard|capacity|allocatable|max|min|default|defaultRequest)\.[^.]+$/.test(path);
  if (type === 'string' && found !== 'string' && !(isQuantity && found === 'number')) {
    return mistyped(value, 'string', path, findings);
  }
  if (type === 'number' && found !== 'number') return mistyped(value, 'numeric (int or float)', path, findings);
  if (type === 'boolean' && found !== 'boolean') return mistyped(value, 'boolean', path, findings);
  if (type === 'IntOrString' && found !== 'number' && found !== 'string') {
    return mistyped(value, 'string', path, findings);
  }
  return isQuantity && found === 'number' ? String(value) : value;
}

function mistyped(value: unknown, expected: string, path: string, findings: SchemaFindings): unknown {
  const found = Array.isArray(value) ? 'array' : isObject(value) ? 'map' : typeof value;
  findings.mistyped.push({ path, expected, found });
  return value;
}
