import { ApiError, badRequest } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import { toStored } from '../event-versions.js';
import type { Kind } from '../kind.js';
import { isObject, type KubeObject } from '../object.js';
import type { WriteOptions } from './options.js';

/**
 * Turns a request's body into an object of the kind, without the fields that the kind does not have. Throws
 * BadRequest for another kind, for a value of a wrong type and, under strict validation, for an unknown field.
 */
export function decode(state: ClusterState, kind: Kind, body: unknown, options: WriteOptions): KubeObject {
  const failed = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}`;
  if (!isObject(body)) throw badRequest(`${failed}: json: cannot unmarshal into Go value of type ${kind.kind}`);
  const type = body.kind ?? kind.kind;
  if (type !== kind.kind || (body.apiVersion ?? kind.apiVersion) !== kind.apiVersion) {
    throw badRequest(
      `${String(type)} in version "${String(body.apiVersion ?? kind.version)}" cannot be handled as a ${kind.kind}: unknown conversion`,
    );
  }
  const findings = state.schema.check(body, kind.apiVersion, kind.kind);
  const wrong = findings.mistyped[0];
  if (wrong !== undefined) {
    throw badRequest(
      `${failed}: json: cannot unmarshal ${wrong.found} into Go struct field ${kind.kind}.${wrong.path} of type ${wrong.expected}`,
    );
  }
  reportUnknown(findings.unknown, failed, options);
  return complete(kind, findings.known);
}

/** As `decode`, for the body of a server-side apply, whose faults the API server answers with 500. */
export function decodeApplied(state: ClusterState, kind: Kind, body: unknown): KubeObject {
  if (!isObject(body)) throw badRequest(`error decoding YAML: expected an object of kind ${kind.kind}`);
  if (body.kind !== kind.kind || body.apiVersion !== kind.apiVersion) {
    const [version = '', group = ''] = String(body.apiVersion ?? '')
      .split('/')
      .toReversed();
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${String(body.kind ?? '')}`);
  }
  const findings = state.schema.check(body, kind.apiVersion, kind.kind);
  const name = isObject(body.metadata) ? String(body.metadata.name ?? '') : '';
  const prefix = `failed to create typed patch object (/${name}; ${kind.apiVersion}, Kind=${kind.kind}): `;
  const unknown = findings.unknown.map((path) => `.${path}: field not declared in schema`);
  const mistyped = findings.mistyped.map((wrong) => `.${wrong.path}: expected ${wrong.expected}, got ${wrong.found}`);
  const faults = [...unknown, ...mistyped];
  if (faults.length > 0) {
    const list = faults.length === 1 ? faults.join() : `errors:\n${faults.map((fault) => `  ${fault}`).join('\n')}`;
    throw new ApiError(500, '', prefix + list);
  }
  return complete(kind, findings.known);
}

function reportUnknown(unknown: string[], failed: string, options: WriteOptions): void {
  const texts = unknown.map((path) => `unknown field "${path}"`);
  if (options.fieldValidation === 'Strict' && texts.length > 0) {
    throw badRequest(`${failed}: strict decoding error: ${texts.join(', ')}`);
  }
  if (options.fieldValidation === 'Warn') options.warnings.push(...texts);
}

function complete(kind: Kind, known: Record<string, unknown>): KubeObject {
  const metadata = isObject(known.metadata) ? { ...known.metadata } : {};
  delete metadata.managedFields;
  delete metadata.selfLink;
  const named = { ...metadata, name: typeof metadata.name === 'string' ? metadata.name : '' };
  return toStored(kind, { ...known, apiVersion: kind.apiVersion, kind: kind.kind, metadata: named });
}
