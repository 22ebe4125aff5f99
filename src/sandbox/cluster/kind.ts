/** One resource that the stand-in serves. */
export interface Kind {
  /** '' for the core group. */
  group: string;
  version: string;
  /** `v1`, `apps/v1`. */
  apiVersion: string;
  kind: string;
  plural: string;
  singular: string;
  short: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  verbs: readonly string[];
  /** Has `/status`: writes to the object leave its status alone, and the other way round. */
  status: boolean;
  /** Has `/scale`. */
  scale: boolean;
  /** `metadata.generation` counts changes of what is wished. */
  generation: boolean;
  /** Fields that a field selector may name, besides metadata.name and metadata.namespace. */
  fields: readonly string[];
  /** Where its objects are kept: `deployments.apps`. Two versions of one kind share it. */
  storage: string;
}

/** `deployments.apps`, `pods`: how messages name a resource, and where its objects are kept. */
export function qualified(kind: Pick<Kind, 'group' | 'plural'>): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}
