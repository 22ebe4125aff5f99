import type { Kind } from '../kind.js';
import type { KindRegistry } from '../kinds.js';

/** `/openapi/v3`: one document per group version. */
export function openapiIndex(kinds: KindRegistry): unknown {
  const paths = kinds.all().map((kind) => {
    const path = rootOf(kind).slice(1);
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=1` }];
  });
  return { paths: Object.fromEntries(paths) };
}

/**
 * The document of one group version: its paths with the query parameters of writes, by which kubectl learns that the
 * server checks fields and knows dry runs. It has no schemas. Undefined when the group version is not served.
 */
export function openapiDocument(kinds: KindRegistry, path: string): unknown {
  const own = kinds.all().filter((kind) => rootOf(kind) === `/${path}`);
  if (own.length === 0) return undefined;
  const paths = own.flatMap((kind) => {
    const collection = `${rootOf(kind)}/${kind.namespaced ? 'namespaces/{namespace}/' : ''}${kind.plural}`;
    return [
      [collection, { get: operation(kind, 'list', []), post: operation(kind, 'post', writeParameters) }],
      [
        `${collection}/{name}`,
        {
          get: operation(kind, 'get', []),
          put: operation(kind, 'put', writeParameters),
          patch: operation(kind, 'patch', [...writeParameters, parameter('force', 'boolean')]),
          delete: operation(kind, 'delete', [parameter('dryRun', 'string')]),
        },
      ],
    ] as const;
  });
  const info = { title: 'Kubernetes', version: 'v1.36.0' };
  return { openapi: '3.0.0', info, paths: Object.fromEntries(paths), components: { schemas: {} } };
}

const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => parameter(name, 'string'));

function parameter(name: string, type: string): unknown {
  return { name, in: 'query', schema: { type, uniqueItems: true } };
}

function operation(kind: Kind, action: string, parameters: unknown[]): unknown {
  return {
    operationId: `${action}${kind.kind}`,
    parameters,
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind },
  };
}

function rootOf(kind: Kind): string {
  return kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.apiVersion}`;
}
