import { ApiError } from '../api-error.js';
import { equal, type JsonObject, type KubeObject, labelsAt, numberAt, objectAt, textAt } from '../object.js';
import { createObject } from '../write/create.js';
import { plainWrite } from '../write/options.js';
import { deadlineOf, deploymentStatus } from './deployment-status.js';
import { controlled, controllerOf, controllerReference, deleteQuietly, kindOf, setStatus } from './ownership.js';
import { nextStep, type RolloutLimits, rolloutLimits } from './rollout.js';
import type { Runtime } from './runtime.js';
import { hashLabel, templateHash } from './template-hash.js';

const component = 'deployment-controller';
const storage = 'replicasets.apps';
const revisionAnnotation = 'deployment.kubernetes.io/revision';

/** Rolls Deployments out: one ReplicaSet for each template, pods moved from the old ones to the new one. */
export function deploymentController(runtime: Runtime): void {
  const { store } = runtime.state;
  const reconcile = runtime.queue('deployment', (namespace, name) => {
    const deployment = store.get('deployments.apps', namespace, name);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    rollOut(runtime, deployment);
    const status = tellStatus(runtime, namespace, name);
    const deadline = deadlineOf(deployment, status);
    const key = `deployment/${namespace}/${name}`;
    if (deadline === undefined) runtime.cancel(key);
    else runtime.later(key, Math.max(0, deadline - Date.now()), () => reconcile(namespace, name));
  });
  runtime.onChange('deployments.apps', ({ type, object }) => {
    const { namespace = '', name } = object.metadata;
    if (type === 'DELETED') runtime.cancel(`deployment/${namespace}/${name}`);
    else reconcile(namespace, name);
  });
  runtime.onChange(storage, ({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === 'Deployment') reconcile(object.metadata.namespace ?? '', owner.name);
  });
  runtime.onChange('pods', ({ type, object }) => {
    // `Recreate` waits for the last old pod.
    const owner = controllerOf(object);
    if (type !== 'DELETED' || owner?.kind !== 'ReplicaSet') return;
    const set = store.byUid(owner.uid)?.object;
    const deployment = set === undefined ? undefined : controllerOf(set);
    if (deployment !== undefined) reconcile(object.metadata.namespace ?? '', deployment.name);
  });
}

function limitsOf(deployment: KubeObject): RolloutLimits {
  const update = objectAt(deployment, 'spec', 'strategy', 'rollingUpdate');
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  if (textAt(deployment, 'spec', 'strategy', 'type') === 'Recreate')
    return { replicas, surge: 0, unavailable: replicas };
  return rolloutLimits(replicas, update.maxSurge, update.maxUnavailable);
}

/** The template as the Deployment wrote it, without the label that its ReplicaSet added. */
function plainTemplate(set: KubeObject): JsonObject {
  const template = objectAt(set, 'spec', 'template');
  const { [hashLabel]: _, ...labels } = labelsAt(template, 'metadata', 'labels');
  return { ...template, metadata: { ...objectAt(template, 'metadata'), labels } };
}

function freshSet(deployment: KubeObject, sets: readonly KubeObject[]): KubeObject | undefined {
  const template = objectAt(deployment, 'spec', 'template');
  return sets.find((set) => equal(plainTemplate(set), { ...template, metadata: objectAt(template, 'metadata') }));
}

function rollOut(runtime: Runtime, deployment: KubeObject): void {
  const sets = controlled(runtime, deployment, storage);
  const found = freshSet(deployment, sets);
  const old = sets.filter((set) => set !== found);
  if (deployment.spec?.paused === true && found === undefined) return;
  const limits = limitsOf(deployment);
  const recreate = textAt(deployment, 'spec', 'strategy', 'type') === 'Recreate';
  if (recreate) {
    for (const set of old) resize(runtime, deployment, set, 0, limits);
    if (old.some((set) => controlled(runtime, set, 'pods').length > 0)) return;
  }
  const revision = String(Math.max(0, ...old.map(revisionOf)) + 1);
  const fresh = found ?? makeSet(runtime, deployment, revision, limits, recreate || old.length === 0);
  if (fresh === undefined) return;
  noteRevision(runtime, deployment, fresh, String(Math.max(revisionOf(fresh), Number(revision))));
  const counts = (set: KubeObject) => ({
    wished: numberAt(set, 'spec', 'replicas') ?? 0,
    available: numberAt(set, 'status', 'availableReplicas') ?? 0,
  });
  const step = recreate ? { fresh: limits.replicas, old: [] } : nextStep(limits, counts(fresh), old.map(counts));
  resize(runtime, deployment, fresh, step.fresh, limits);
  step.old.forEach((wished, i) => {
    const set = old[i];
    if (set !== undefined) resize(runtime, deployment, set, wished, limits);
  });
  forgetOldSets(runtime, deployment, old);
}

function makeSet(
  runtime: Runtime,
  deployment: KubeObject,
  revision: string,
  limits: RolloutLimits,
  atOnce: boolean,
): KubeObject | undefined {
  const { namespace = '', name } = deployment.metadata;
  const template = objectAt(deployment, 'spec', 'template');
  const hash = templateHash(template);
  const labels = { ...labelsAt(template, 'metadata', 'labels'), [hashLabel]: hash };
  const selector = objectAt(deployment, 'spec', 'selector');
  // An update starts from zero; `nextStep` gives the new set its room.
  const replicas = atOnce ? limits.replicas : 0;
  const set: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      labels,
      annotations: annotations(revision, limits),
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      selector: { ...selector, matchLabels: { ...objectAt(selector, 'matchLabels'), [hashLabel]: hash } },
      template: { ...template, metadata: { ...objectAt(template, 'metadata'), labels } },
    },
  };
  try {
    const made = createObject(runtime.state, kindOf(runtime, storage), namespace, set, plainWrite);
    if (replicas > 0) tellScaling(runtime, deployment, made, 0, replicas);
    return made;
  } catch (error) {
    // The name is taken by a set on its way out: its end asks for another run.
    if (error instanceof ApiError && error.reason === 'AlreadyExists') return undefined;
    throw error;
  }
}

function annotations(revision: string, limits: RolloutLimits): Record<string, string> {
  return {
    'deployment.kubernetes.io/desired-replicas': String(limits.replicas),
    'deployment.kubernetes.io/max-replicas': String(limits.replicas + limits.surge),
    [revisionAnnotation]: revision,
  };
}

function revisionOf(set: KubeObject): number {
  return Number(set.metadata.annotations?.[revisionAnnotation] ?? 0);
}

function noteRevision(runtime: Runtime, deployment: KubeObject, fresh: KubeObject, revision: string): void {
  const note = (at: string, object: KubeObject) => {
    const current = runtime.state.store.get(at, object.metadata.namespace ?? '', object.metadata.name);
    if (current === undefined || current.metadata.annotations?.[revisionAnnotation] === revision) return;
    const noted = { ...current.metadata.annotations, [revisionAnnotation]: revision };
    runtime.state.store.put(at, { ...current, metadata: { ...current.metadata, annotations: noted } });
  };
  note(storage, fresh);
  note('deployments.apps', deployment);
}

function resize(
  runtime: Runtime,
  deployment: KubeObject,
  set: KubeObject,
  wished: number,
  limits: RolloutLimits,
): void {
  const { namespace = '', name } = set.metadata;
  const current = runtime.state.store.get(storage, namespace, name);
  if (current === undefined) return;
  const now = numberAt(current, 'spec', 'replicas') ?? 0;
  const noted = { ...current.metadata.annotations, ...annotations(String(revisionOf(current)), limits) };
  if (now === wished && equal(noted, current.metadata.annotations)) return;
  const generation = (current.metadata.generation ?? 1) + (now === wished ? 0 : 1);
  const metadata = { ...current.metadata, annotations: noted, generation };
  runtime.state.store.put(storage, { ...current, metadata, spec: { ...current.spec, replicas: wished } });
  if (now !== wished) tellScaling(runtime, deployment, set, now, wished);
}

function tellScaling(runtime: Runtime, deployment: KubeObject, set: KubeObject, from: number, to: number): void {
  const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${set.metadata.name} from ${from} to ${to}`;
  runtime.record(deployment, 'Normal', 'ScalingReplicaSet', message, { component });
}

function forgetOldSets(runtime: Runtime, deployment: KubeObject, old: readonly KubeObject[]): void {
  const keep = numberAt(deployment, 'spec', 'revisionHistoryLimit') ?? 10;
  const idle = old.filter(
    (set) => numberAt(set, 'spec', 'replicas') === 0 && (numberAt(set, 'status', 'replicas') ?? 0) === 0,
  );
  const surplus = idle.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, idle.length - keep));
  for (const set of surplus) deleteQuietly(runtime, storage, set);
}

function tellStatus(runtime: Runtime, namespace: string, name: string): JsonObject {
  const deployment = runtime.state.store.get('deployments.apps', namespace, name);
  if (deployment === undefined) return {};
  const sets = controlled(runtime, deployment, storage);
  const status = deploymentStatus(deployment, freshSet(deployment, sets), sets, limitsOf(deployment), Date.now());
  setStatus(runtime, 'deployments.apps', deployment, status);
  return status;
}
