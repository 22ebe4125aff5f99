import { annotation } from '../application/application.js';
import type { ApplyDeps } from './apply/apply-objects.js';
import { applyObjects } from './apply/apply-objects.js';
import { ensureNamespace, type NamespaceDeps } from './apply/ensure-namespace.js';
import { previewHost } from './branch/preview-host.js';
import type { WantedPreview } from './branch/read-file.js';
import { checkFence, type FenceDeps } from './fence/check-fence.js';
import type { Inventory } from './inventory.js';
import type { Kind, LiveObject } from './live/live-objects.js';
import { keyOf, type Manifest } from './manifest.js';
import { desiredNamespace } from './plan/desired-namespace.js';
import { desiredObjects } from './plan/desired-objects.js';
import { isDrifted, makePlan, withAnswers } from './plan/make-plan.js';
import { type PruneDeps, pruneObjects } from './prune/prune-objects.js';
import type { SourceLoader } from './source/load-source.js';

/** What a deployment needs from outside. */
export interface DeployDeps {
  source: SourceLoader;
  cluster: FenceDeps & ApplyDeps & NamespaceDeps & PruneDeps;
  saveInventory(inventory: Inventory, signal: AbortSignal): Promise<void>;
  live: {
    of(pair: WantedPreview): ReadonlyMap<string, LiveObject>;
    follow(kinds: readonly Kind[]): void;
    synced(kinds: readonly Kind[], signal: AbortSignal): Promise<void>;
    record(object: Manifest): void;
  };
}

export interface DeployInput {
  wanted: WantedPreview;
  /** null for an incarnation of which nothing is in the cluster. */
  inventory: Inventory | null;
  installation: string;
  agent: string;
  namespacePrefix: string;
  podSecurity: 'baseline' | 'restricted';
  kinds: { allow: readonly string[]; deny: readonly string[] };
  /** Hosts that previews may use. */
  hosts: readonly string[];
  now: number;
  /** Hears each state of the inventory, before and after the cluster is written. */
  onInventory(inventory: Inventory): void;
  signal: AbortSignal;
}

const namespaceKind: Kind = { apiVersion: 'v1', kind: 'Namespace' };

/** Whether anything of an applied inventory is missing from the cluster, or is no longer as it was applied. */
export function hasDrift(inventory: Inventory, live: ReadonlyMap<string, LiveObject>): boolean {
  const namespace = live.get(`/Namespace/${inventory.namespace}`);
  if (namespace === undefined || namespace.uid !== inventory.namespaceUid) return true;
  return inventory.objects.some((entry) => isDrifted(entry, live.get(keyOf(entry))));
}

/**
 * Brings one incarnation to its wanted revision: source, fence, plan, inventory, namespace, objects, prune. What is
 * there already is not written again. Returns whether anything was written; throws the first failure.
 */
export async function deploy(deps: DeployDeps, input: DeployInput): Promise<boolean> {
  const { wanted, signal } = input;
  const repair = input.inventory?.revision === wanted.revision ? input.inventory : null;
  if (repair !== null) {
    await deps.live.synced([namespaceKind, ...repair.objects], signal);
    if (!hasDrift(repair, deps.live.of(wanted))) return false;
  }
  const desired = await loadDesired(deps, input);
  const live = deps.live.of(wanted);
  const plan = makePlan({ desired, inventory: input.inventory, revision: wanted.revision, live });
  let inventory = startInventory(input, plan.entries);
  // Known before it is written: a file that goes meanwhile finds something to tear down.
  input.onInventory(inventory);
  await deps.saveInventory(inventory, signal);

  deps.live.follow([namespaceKind, ...desired]);
  const namespace = await makeNamespace(deps, input, repair !== null);
  inventory = { ...inventory, namespaceUid: namespace };
  input.onInventory(inventory);

  const answers: Manifest[] = [];
  const heard = (stored: Manifest) => {
    answers.push(stored);
    deps.live.record(stored);
  };
  try {
    await applyObjects(deps.cluster, plan.steps, heard, signal);
  } finally {
    inventory = { ...inventory, objects: withAnswers(inventory.objects, answers) };
    input.onInventory(inventory);
  }
  const identity = identityOf(input);
  const kept = await pruneObjects(deps.cluster, {
    identity,
    namespace: inventory.namespace,
    entries: plan.prune,
    signal,
  });
  const pruned = new Set(plan.prune.filter((entry) => !kept.includes(entry)).map(keyOf));
  inventory = {
    ...inventory,
    revision: wanted.revision,
    objects: inventory.objects.filter((entry) => !pruned.has(keyOf(entry))),
  };
  await deps.saveInventory(inventory, signal);
  input.onInventory(inventory);
  return true;
}

async function loadDesired(deps: DeployDeps, input: DeployInput): Promise<Manifest[]> {
  const { wanted } = input;
  const { namespace } = wanted.application.spec.destination;
  const manifests = await deps.source.load(wanted.application, input.signal);
  await checkFence(deps.cluster, manifests, {
    slug: wanted.slug,
    namespace,
    host: previewHost(annotation(wanted.application, 'url'), input.hosts),
    allowKinds: input.kinds.allow,
    denyKinds: input.kinds.deny,
  });
  const asleep = annotation(wanted.application, 'asleep') === 'true';
  return desiredObjects(manifests, { identity: identityOf(input), namespace, asleep });
}

function startInventory(input: DeployInput, objects: Inventory['objects']): Inventory {
  const { wanted, inventory } = input;
  return {
    slug: wanted.slug,
    incarnation: wanted.incarnation,
    namespace: wanted.application.spec.destination.namespace,
    namespaceUid: inventory?.namespaceUid ?? null,
    // Until all of it is applied, no revision is: what fails halfway is done again.
    revision: inventory?.revision === wanted.revision ? wanted.revision : null,
    createdAt: inventory?.createdAt ?? input.now,
    condemned: null,
    objects,
  };
}

/** Returns the namespace's UID. While only objects are repaired, a namespace that stands is not written. */
async function makeNamespace(deps: DeployDeps, input: DeployInput, repair: boolean): Promise<string> {
  const { wanted, inventory, signal } = input;
  const { namespace } = wanted.application.spec.destination;
  const known = deps.live.of(wanted).get(`/Namespace/${namespace}`);
  if (repair && known !== undefined && !known.terminating && known.uid === inventory?.namespaceUid) return known.uid;
  const desired = desiredNamespace({
    identity: identityOf(input),
    namespace,
    agent: input.agent,
    podSecurity: input.podSecurity,
    mergeRequest: annotation(wanted.application, 'merge-request'),
    url: annotation(wanted.application, 'url'),
  });
  const made = await ensureNamespace(deps.cluster, {
    identity: identityOf(input),
    desired,
    uid: inventory?.namespaceUid ?? null,
    signal,
  });
  deps.live.record(made);
  return made.metadata.uid ?? '';
}

function identityOf(input: DeployInput): { installation: string; slug: string; incarnation: number } {
  return { installation: input.installation, slug: input.wanted.slug, incarnation: input.wanted.incarnation };
}
