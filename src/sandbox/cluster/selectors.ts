import { badRequest } from './api-error.js';
import type { Kind } from './kind.js';
import { at, isObject, type JsonObject, type KubeObject, labelsAt, listAt, objectAt } from './object.js';

export type Matcher = (object: KubeObject) => boolean;
export type LabelMatcher = (labels: Record<string, string>) => boolean;

const everything: LabelMatcher = () => true;

/** Parses `a=b,c!=d,e in (f,g),h,!i`. Throws BadRequest as the API server words it. */
function parseLabelSelector(text: string): LabelMatcher {
  const parts = text.split(/,(?![^(]*\))/).flatMap((part) => part.trim() || []);
  const matchers = parts.map(parseRequirement);
  return matchers.length === 0 ? everything : (labels) => matchers.every((matches) => matches(labels));
}

function parseRequirement(part: string): LabelMatcher {
  const set = /^([^\s!=(),]+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(part);
  if (set !== null) {
    const [, key = '', operator = '', list = ''] = set;
    return requirement(
      key,
      operator === 'in' ? 'In' : 'NotIn',
      list.split(',').map((value) => value.trim()),
    );
  }
  const equality = /^([^\s!=(),]+)\s*(==|=|!=)\s*([^\s!=(),]*)$/.exec(part);
  if (equality !== null) {
    const [, key = '', operator = '', value = ''] = equality;
    return requirement(key, operator === '!=' ? 'NotIn' : 'In', [value]);
  }
  if (/^![^\s!=(),]+$/.test(part)) return requirement(part.slice(1), 'DoesNotExist', []);
  if (/^[^\s!=(),]+$/.test(part)) return requirement(part, 'Exists', []);
  const found = part.split(/\s+/)[1] ?? part;
  throw badRequest(`unable to parse requirement: found '${found}', expected: in, notin, =, ==, !=, gt, lt`);
}

function requirement(key: string, operator: unknown, values: string[]): LabelMatcher {
  if (operator === 'In') return (labels) => labels[key] !== undefined && values.includes(labels[key]);
  if (operator === 'NotIn') return (labels) => labels[key] === undefined || !values.includes(labels[key]);
  if (operator === 'Exists') return (labels) => labels[key] !== undefined;
  return (labels) => labels[key] === undefined;
}

/** The selector object of a workload: matchLabels and matchExpressions. An empty one matches nothing here. */
export function workloadSelector(selector: unknown): LabelMatcher {
  const matchers = Object.entries(labelsAt(selector, 'matchLabels')).map(([key, value]) =>
    requirement(key, 'In', [value]),
  );
  for (const expression of listAt(selector, 'matchExpressions')) {
    const values = Array.isArray(expression.values) ? expression.values.map(String) : [];
    matchers.push(requirement(String(expression.key), expression.operator, values));
  }
  return matchers.length === 0 ? () => false : (labels) => matchers.every((matches) => matches(labels));
}

/** Parses `metadata.name=a,status.phase!=Running`; a field that the kind does not index is refused. */
function parseFieldSelector(kind: Kind, text: string): Matcher {
  const matchers = text.split(',').flatMap((part) => (part === '' ? [] : parseField(kind, part)));
  return (object) => matchers.every((matches) => matches(object));
}

function parseField(kind: Kind, part: string): Matcher {
  const parsed = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
  if (parsed === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
  const [, field = '', operator, value] = parsed;
  if (field !== 'metadata.name' && field !== 'metadata.namespace' && !kind.fields.includes(field)) {
    throw badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
  }
  const path = field.split('.');
  return (object) => (String(at(object, ...path) ?? '') === value) === (operator !== '!=');
}

/** What `labelSelector` and `fieldSelector` of a request ask for; undefined when they ask for everything. */
export function requestMatcher(kind: Kind, query: URLSearchParams): Matcher | undefined {
  const labels = query.get('labelSelector');
  const fields = query.get('fieldSelector');
  if (!labels && !fields) return undefined;
  const byLabels = labels ? parseLabelSelector(labels) : everything;
  const byFields = fields ? parseFieldSelector(kind, fields) : () => true;
  return (object) => byLabels(object.metadata.labels ?? {}) && byFields(object);
}

/** A selector object as text, as `kubectl get -o wide` and `/scale` show it. */
export function selectorText(selector: unknown): string {
  if (!isObject(selector)) return '<none>';
  const parts = Object.entries(labelsAt(selector, 'matchLabels')).map(([key, value]) => `${key}=${value}`);
  for (const expression of listAt(selector, 'matchExpressions')) parts.push(expressionText(expression));
  return parts.length === 0 ? '<none>' : parts.sort().join(',');
}

function expressionText(expression: JsonObject): string {
  const key = String(expression.key);
  const values = Array.isArray(expression.values) ? expression.values.join(',') : '';
  if (expression.operator === 'Exists') return key;
  if (expression.operator === 'DoesNotExist') return `!${key}`;
  return `${key} ${expression.operator === 'In' ? 'in' : 'notin'} (${values})`;
}

/** A plain label map as a selector's text. */
export function labelMapText(map: unknown): string {
  return selectorText({ matchLabels: objectAt({ map }, 'map') });
}
