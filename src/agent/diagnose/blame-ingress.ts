import { isAppError } from '../../error/app-error.js';
import { fields, type Manifest, text } from '../manifest.js';
import type { Blame } from './blame.js';
import { ageMs } from './blame-pod.js';
import type { ClusterReader } from './cluster-reader.js';

const oldAnnotation = 'kubernetes.io/ingress.class';
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';

/** Some controllers take up an Ingress without a class, and need about a minute to say so. */
const patienceMs = 120_000;
/** Classes that are named to somebody who misspelt one. */
const shownClasses = 5;

/** Why no controller has taken up an Ingress; null when it cannot be told from its class. */
export async function blameIngress(
  reader: ClusterReader,
  input: { namespace: string; name: string; now: number; signal: AbortSignal },
): Promise<Blame | null> {
  const { namespace, name, signal } = input;
  const ingress = await reader.find({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace, name }, signal);
  const classes = await listClasses(reader, signal);
  if (ingress === null || classes === null) return null;
  const message = classProblem(ingress, classes);
  if (message === null) return null;
  const stuck = ageMs(ingress, input.now) > patienceMs;
  return { kind: 'Ingress', name, reason: 'taken up by no controller', message, stuck, container: null };
}

function classProblem(ingress: Manifest, classes: readonly Manifest[]): string | null {
  // What the old annotation means, each controller decides for itself.
  if (text(ingress.metadata.annotations?.[oldAnnotation]) !== '') return null;
  const wanted = text(fields(ingress.spec).ingressClassName);
  const names = classes.map(({ metadata }) => metadata.name);
  const known =
    names.length === 0 ? 'the cluster has no IngressClass' : `it has ${names.slice(0, shownClasses).join(', ')}`;
  if (wanted !== '') {
    return names.includes(wanted) ? null : `the cluster has no IngressClass ${wanted}; ${known}`;
  }
  const isDefault = ({ metadata }: Manifest) => metadata.annotations?.[defaultAnnotation] === 'true';
  return classes.some(isDefault)
    ? null
    : `it has no ingressClassName, and the cluster no default IngressClass; ${known}`;
}

/** null: the agent may not read them. */
async function listClasses(reader: ClusterReader, signal: AbortSignal): Promise<Manifest[] | null> {
  try {
    return await reader.list({ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', namespace: null }, signal);
  } catch (error) {
    if (isAppError(error, 'kube-forbidden') || isAppError(error, 'kube-unknown-kind')) return null;
    throw error;
  }
}
