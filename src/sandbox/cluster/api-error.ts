import { type Kind, qualified } from './kind.js';

interface Cause {
  reason: string;
  message: string;
  field: string;
}

interface Details {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: Cause[];
}

/** An answer that is no success, with the reason, code and wording of Kubernetes' API server. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Details | undefined;

  constructor(code: number, reason: string, message: string, details?: Details) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

type Named = Pick<Kind, 'group' | 'plural'>;

export function notFound(kind: Named, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(kind)} "${name}" not found`, resource(kind, name));
}

export function alreadyExists(kind: Named, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(kind)} "${name}" already exists`, resource(kind, name));
}

/** A write that was made from an older state, or whose precondition does not hold. */
export function conflict(kind: Named, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`;
  return new ApiError(409, 'Conflict', message, resource(kind, name));
}

export const modified = 'the object has been modified; please apply your changes to the latest version and try again';

export function terminating(kind: Named, name: string, namespace: string): ApiError {
  const message = `${qualified(kind)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
  const causes = [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ];
  return new ApiError(403, 'Forbidden', message, { ...resource(kind, name), causes });
}

/** One wrong field of an object; `kind` as in the message: 'Required value', 'Invalid value: 3: must be …'. */
export interface FieldFault {
  field: string;
  message: string;
}

export function invalid(kind: Pick<Kind, 'group' | 'kind'>, name: string, faults: FieldFault[]): ApiError {
  const type = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const texts = faults.map((fault) => `${fault.field}: ${fault.message}`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const causes = faults.map((fault) => ({ reason: causeReason(fault.message), ...fault }));
  return new ApiError(422, 'Invalid', `${type} "${name}" is invalid: ${list}`, {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    causes,
  });
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

export function noSuchResource(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** The object that is sent for an error. */
export function statusOf(error: ApiError): Record<string, unknown> {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    ...(error.reason === '' ? {} : { reason: error.reason }),
    ...(error.details === undefined ? {} : { details: error.details }),
    code: error.code,
  };
}

function resource(kind: Named, name: string): Details {
  return { ...(name === '' ? {} : { name }), ...(kind.group === '' ? {} : { group: kind.group }), kind: kind.plural };
}

function causeReason(message: string): string {
  const known = {
    'Required value': 'FieldValueRequired',
    'Duplicate value': 'FieldValueDuplicate',
    Forbidden: 'FieldValueForbidden',
    'Unsupported value': 'FieldValueNotSupported',
  };
  for (const [start, reason] of Object.entries(known)) if (message.startsWith(start)) return reason;
  return 'FieldValueInvalid';
}
