import { fields, type Manifest, records, text } from '../manifest.js';

/** What keeps a namespace from going, in the words of the namespace controller. */
export interface Blockers {
  /** The reason that decides, as the end of a sentence; null: the cluster does not say. */
  why: string | null;
  /** Finalizers that are waited for. */
  finalizers: string[];
  /** Every condition's message, the deciding one first. */
  evidence: string[];
}

/** The conditions that say why, the deciding one first: what keeps the others from ever being known comes before them. */
const conditionOrder = [
  'NamespaceDeletionDiscoveryFailure',
  'NamespaceDeletionGroupVersionParsingFailure',
  'NamespaceDeletionContentFailure',
  'NamespaceFinalizersRemaining',
  'NamespaceContentRemaining',
];

/** Reads a namespace that is being deleted: which finalizer, which API group, or which content it waits for. */
export function blockersOf(namespace: Manifest): Blockers {
  const active = records(fields(namespace.status).conditions)
    .filter((condition) => condition.status === 'True' && text(condition.message) !== '')
    .map((condition) => ({ type: text(condition.type), message: text(condition.message) }))
    .sort((a, b) => rank(a.type) - rank(b.type));
  const own = namespace.metadata.finalizers ?? [];
  const finalizers = [
    ...own,
    ...active.filter(({ type }) => type === 'NamespaceFinalizersRemaining').flatMap(({ message }) => namesIn(message)),
  ];
  const evidence = [
    ...(own.length === 0 ? [] : [`The namespace itself has the finalizers ${own.join(', ')}.`]),
    ...active.map(({ message }) => message),
  ];
  return { why: evidence[0] ?? null, finalizers: [...new Set(finalizers)], evidence };
}

function rank(type: string): number {
  const place = conditionOrder.indexOf(type);
  return place < 0 ? conditionOrder.length : place;
}

/** Names from `… finalizers remaining: NAME in 2 resource instances, NAME in …`; of another form none are known. */
function namesIn(message: string): string[] {
  return [...message.matchAll(/([A-Za-z0-9./_-]+) in \d+ resource instances/g)].flatMap(([, name]) => name ?? []);
}
