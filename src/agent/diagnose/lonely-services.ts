import { fields, type Manifest, records, text } from '../manifest.js';
import type { ClusterReader } from './cluster-reader.js';

/** Services that are named to somebody whose URL does not answer. */
const maxServices = 5;

/** The Services of a namespace that lead nowhere, as lines of evidence: they select no pod, or none that is ready. */
export async function lonelyServices(reader: ClusterReader, namespace: string, signal: AbortSignal): Promise<string[]> {
  const [services, pods] = await Promise.all(
    ['Service', 'Pod'].map((kind) => reader.list({ apiVersion: 'v1', kind, namespace }, signal)),
  );
  return (services ?? [])
    .flatMap((service) => {
      const problem = problemOf(service, pods ?? []);
      return problem === null ? [] : [`Service/${service.metadata.name} ${problem}`];
    })
    .slice(0, maxServices);
}

function problemOf(service: Manifest, pods: readonly Manifest[]): string | null {
  const selector = Object.entries(fields(fields(service.spec).selector));
  // Without a selector somebody else says where it leads.
  if (selector.length === 0) return null;
  const chosen = pods.filter((pod) => selector.every(([key, value]) => pod.metadata.labels?.[key] === text(value)));
  if (chosen.length === 0) return 'selects no pod: its selector fits the labels of none';
  return chosen.some(isReady) ? null : 'has no endpoint: none of the pods that it selects is ready';
}

function isReady(pod: Manifest): boolean {
  const ready = records(fields(pod.status).conditions).find(({ type }) => type === 'Ready');
  return ready?.status === 'True';
}
