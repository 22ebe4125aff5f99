import { ApiError, badRequest } from '../api-error.js';
import { equal, isObject } from '../object.js';

type Container = Record<string, unknown> | unknown[];

/** JSON patch, RFC 6902. An operation that cannot be done is answered with 422, as the API server does. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  let document: unknown = structuredClone(target);
  for (const operation of patch.filter(isObject)) document = runOperation(document, operation);
  return document;
}

function runOperation(document: unknown, operation: Record<string, unknown>): unknown {
  const path = String(operation.path);
  switch (operation.op) {
    case 'add':
      return set(document, path, operation.value, true);
    case 'replace':
      read(document, path);
      return set(document, path, operation.value, false);
    case 'remove':
      return remove(document, path);
    case 'test':
      if (!equal(read(document, path), operation.value)) throw rejected();
      return document;
    case 'copy':
      return set(document, path, structuredClone(read(document, String(operation.from))), true);
    case 'move': {
      const value = read(document, String(operation.from));
      return set(remove(document, String(operation.from)), path, value, true);
    }
    default:
      throw rejected();
  }
}

function steps(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw rejected();
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function child(container: unknown, step: string): unknown {
  if (Array.isArray(container) && /^\d+$/.test(step) && Number(step) < container.length) return container[Number(step)];
  if (isObject(container) && Object.hasOwn(container, step)) return container[step];
  throw rejected();
}

function read(document: unknown, pointer: string): unknown {
  return steps(pointer).reduce(child, document);
}

function parentOf(document: unknown, pointer: string): { parent: Container; last: string } {
  const path = steps(pointer);
  const last = path.pop() ?? '';
  const parent = path.reduce(child, document);
  if (!Array.isArray(parent) && !isObject(parent)) throw rejected();
  return { parent, last };
}

function set(document: unknown, pointer: string, value: unknown, insert: boolean): unknown {
  if (pointer === '') return value;
  const { parent, last } = parentOf(document, pointer);
  if (!Array.isArray(parent)) parent[last] = value;
  else if (last === '-') parent.push(value);
  else if (!/^\d+$/.test(last) || Number(last) > parent.length) throw rejected();
  else parent.splice(Number(last), insert ? 0 : 1, value);
  return document;
}

function remove(document: unknown, pointer: string): unknown {
  read(document, pointer);
  const { parent, last } = parentOf(document, pointer);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return document;
}

function rejected(): ApiError {
  return new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}
