import { annotation } from '../application/application.js';
import { inApplyOrder } from './apply/apply-objects.js';
import { ensureNamespace, type NamespaceDeps } from './apply/ensure-namespace.js';
import type { WantedPreview } from './branch/read-file.js';
import type { Desired } from './desired-items.js';
import type { Furnisher, Furnishing } from './furnisher.js';
import type { Inventory, InventoryEntry } from './inventory.js';
import { createLedger, type Ledger, orSaved } from './ledger.js';
import type { Kind, LiveObject } from './live/live-objects.js';
import { isAsleep, type LoadDesiredDeps, loadDesired } from './load-desired.js';
import { keyOf } from './manifest.js';
import type { PreviewIdentity } from './marks.js';
import type { DesiredItem } from './plan/desired-item.js';
import { desiredNamespace } from './plan/desired-namespace.js';
import { examine, type Verdict } from './plan/examine.js';
import { isDrifted, makePlan, type Plan, withAnswer } from './plan/make-plan.js';
import { runStages, type Waiting } from './run-stages.js';
import { survivors } from './survivors.js';
import type { Sync } from './sync.js';

/** What a deployment needs from outside. */
export interface DeployDeps extends LoadDesiredDeps {
  cluster: LoadDesiredDeps['cluster'] & NamespaceDeps & Sync['cluster'];
  /** Quota, limits, network policy and copied secrets of the namespace. */
  furnisher: Pick<Furnisher, 'plan'>;
  saveInventory(inventory: Inventory, signal: AbortSignal): Promise<void>;
  live: {
    of(pair: { slug: string; incarnation: number }): ReadonlyMap<string, LiveObject>;
    follow(kinds: readonly Kind[]): void;
    synced(kinds: readonly Kind[], signal: AbortSignal): Promise<void>;
    record: Sync['live']['record'];
  };
  diagnose: Sync['diagnose'];
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

export interface Deployment {
  /** Anything was written to the cluster. */
  wrote: boolean;
  /** What the rest waits for; null: all of it is applied. */
  waiting: Waiting | null;
}

/** Lists of all kinds take well under a second, also of a thousand previews. */
const listMs = 10_000;
const namespaceKind: Kind = { apiVersion: 'v1', kind: 'Namespace' };

/** Whether anything of an applied inventory is missing from the cluster, or is no longer as it was applied. */
export function hasDrift(inventory: Inventory, live: ReadonlyMap<string, LiveObject>): boolean {
  const namespace = live.get(`/Namespace/${inventory.namespace}`);
  if (namespace === undefined || namespace.uid !== inventory.namespaceUid) return true;
  return [...inventory.objects, ...(inventory.furniture ?? [])].some((entry) =>
    isDrifted(entry, live.get(keyOf(entry))),
  );
}

/**
 * Takes one incarnation towards its wanted revision, as far as it can be taken now: source, fence, plan, inventory,
 * namespace, stages. What is there already is not written again. Throws the first failure; what the API server would
 * refuse of objects that are there is thrown before anything is written.
 */
export async function deploy(deps: DeployDeps, input: DeployInput): Promise<Deployment> {
  const { wanted, signal } = input;
  const repair = input.inventory?.revision === wanted.revision ? input.inventory : null;
  if (repair !== null) {
    await listed(deps, [namespaceKind, ...repair.objects, ...(repair.furniture ?? [])], signal);
  }
  const furnishing = await deps.furnisher.plan(wanted, input.inventory, signal);
  if (repair !== null && furnishing.isDone && !hasDrift(repair, deps.live.of(wanted))) {
    return { wrote: false, waiting: null };
  }
  const desired = await loadDesired(deps, { ...input, identity: identityOf(input) });
  furnishing.refuseCollisions(desired.items.map(({ manifest }) => manifest));
  const kinds = [namespaceKind, ...desired.items.map(({ manifest }) => manifest), ...furnishing.entries];
  deps.live.follow(kinds);
  // Of what has no inventory, nothing is there.
  if (input.inventory !== null) await listed(deps, kinds, signal);
  const live = deps.live.of(wanted);
  const known = await survivors(deps.cluster, input.inventory, { live, signal });
  const plan = makePlan({ desired: desired.items, inventory: known, revision: wanted.revision, live });
  const begins = known?.target !== wanted.revision;
  const verdicts = begins ? await examineAll(deps, plan, signal) : new Map<DesiredItem, Verdict>();

  const inventory = startInventory(input, known, { plan, furnishing, desired });
  // In a later run for the same revision, what is stored lists all that is or will be there, unless a chart drew names.
  const isStored = !begins && furnishing.isDone && listsAll(known, plan.entries);
  const ledger = openLedger(deps, input, inventory, isStored);
  takeVerdicts(verdicts, ledger, deps.live.record);
  // Known before it is written: a file that goes meanwhile finds something to tear down.
  input.onInventory(ledger.inventory());
  if (begins ? hasWork(plan, verdicts, furnishing, known) : !isStored) await saveFirst(ledger, input);
  return carryOut(deps, input, {
    plan,
    verdicts,
    ledger,
    furnishing,
    begins,
    isRepair: known?.revision === wanted.revision,
  });
}

/**
 * Waits until the kinds were listed, but not for ever: one that cannot be is missing rights or its definition. What is
 * not known to be there is applied as if it were not, which changes nothing where nothing differs.
 */
async function listed(deps: DeployDeps, kinds: readonly Kind[], signal: AbortSignal): Promise<void> {
  const late = AbortSignal.timeout(listMs);
  try {
    await deps.live.synced(kinds, AbortSignal.any([signal, late]));
  } catch (error) {
    if (signal.aborted || !late.aborted) throw error;
  }
}

interface Undertaking {
  plan: Plan;
  verdicts: ReadonlyMap<DesiredItem, Verdict>;
  ledger: Ledger;
  furnishing: Furnishing;
  /** First run for this revision. */
  begins: boolean;
  /** The revision was applied in full before. */
  isRepair: boolean;
}

/** All that writes, after the inventory was persisted. */
async function carryOut(deps: DeployDeps, input: DeployInput, undertaking: Undertaking): Promise<Deployment> {
  const { plan, verdicts, ledger, furnishing, begins, isRepair } = undertaking;
  const { wanted, signal } = input;
  let wrote = !furnishing.isDone;
  const waiting = await orSaved(ledger, signal, async () => {
    const before = ledger.inventory().namespaceUid;
    const namespaceUid = await makeNamespace(deps, input, { uid: before, isCurrent: !begins });
    if (namespaceUid !== before) ledger.set({ namespaceUid });
    wrote ||= before !== namespaceUid;
    if (!furnishing.isDone) {
      ledger.set({ furniture: await furnishing.apply(identityOf(input), ledger.inventory().namespace, signal) });
    }
    return runStages({
      identity: identityOf(input),
      pair: { slug: wanted.slug, incarnation: wanted.incarnation },
      revision: wanted.revision,
      isAsleep: isAsleep(wanted),
      isGated: !isRepair,
      plan,
      verdicts,
      ledger,
      cluster: deps.cluster,
      live: deps.live,
      diagnose: deps.diagnose,
      noteWrite: () => {
        wrote = true;
      },
      signal,
    });
  });
  if (waiting === null && !isRepair) ledger.set({ revision: wanted.revision });
  // A repair that found nothing to write has learnt something, but nothing that could not be learnt again.
  if (wrote || !isRepair) await ledger.save();
  return { wrote: wrote || begins, waiting };
}

/** What was not persisted must be in the next run, too, before anything is written. */
async function saveFirst(ledger: Ledger, input: DeployInput): Promise<void> {
  try {
    await ledger.save();
  } catch (error) {
    input.onInventory({ ...ledger.inventory(), target: undefined });
    throw error;
  }
}

function openLedger(deps: DeployDeps, input: DeployInput, inventory: Inventory, isStored: boolean): Ledger {
  return createLedger(
    { onChange: input.onInventory, save: (state) => deps.saveInventory(state, input.signal) },
    inventory,
    isStored,
  );
}

/** What the API server would say of every object that is there and may differ, before anything is written. */
async function examineAll(deps: DeployDeps, plan: Plan, signal: AbortSignal): Promise<Map<DesiredItem, Verdict>> {
  const verdicts = new Map<DesiredItem, Verdict>();
  const items = [...plan.needs].filter(([, need]) => need === 'examine').map(([item]) => item);
  const look = async (item: DesiredItem) => void verdicts.set(item, await examine(deps.cluster, item, signal));
  if (items.length > 0) await inApplyOrder([items], look, signal);
  return verdicts;
}

function takeVerdicts(
  verdicts: ReadonlyMap<DesiredItem, Verdict>,
  ledger: Ledger,
  record: DeployDeps['live']['record'],
): void {
  for (const [item, verdict] of verdicts) {
    const entry = ledger.entry(item.key);
    if (verdict.do !== 'nothing' || entry === undefined) continue;
    ledger.replace(withAnswer(entry, verdict.live, item.print));
    record(verdict.live);
  }
}

function listsAll(inventory: Inventory | null, entries: readonly InventoryEntry[]): boolean {
  const keys = new Set(inventory?.objects.map(keyOf));
  return entries.every((entry) => keys.has(keyOf(entry)));
}

/** Whether the cluster is written at all: if it is not, there is nothing to own that was not owned before. */
function hasWork(
  { needs, prune, pruneLast }: Plan,
  verdicts: Undertaking['verdicts'],
  furnishing: Furnishing,
  known: Inventory | null,
): boolean {
  const writes = [...needs].some(([item, need]) =>
    need === 'examine' ? verdicts.get(item)?.do !== 'nothing' : need !== 'nothing',
  );
  return (
    known === null || known.namespaceUid === null || writes || !furnishing.isDone || prune.length + pruneLast.length > 0
  );
}

function startInventory(
  input: DeployInput,
  known: Inventory | null,
  { plan, furnishing, desired }: { plan: Plan; furnishing: Furnishing; desired: Desired },
): Inventory {
  const { wanted } = input;
  return {
    slug: wanted.slug,
    incarnation: wanted.incarnation,
    namespace: wanted.application.spec.destination.namespace,
    namespaceUid: known?.namespaceUid ?? null,
    // Until all of it is applied, no revision is: what fails halfway is done again.
    revision: known?.revision === wanted.revision ? wanted.revision : null,
    target: wanted.revision,
    createdAt: known?.createdAt ?? input.now,
    condemned: null,
    objects: plan.entries,
    remarks: desired.remarks.length === 0 ? undefined : desired.remarks,
    furniture: furnishing.entries,
    mergeRequests: annotation(wanted.application, 'merge-request'),
  };
}

/** Returns the namespace's UID. One that stands, and was brought up to date for this revision, is not looked at again. */
async function makeNamespace(
  deps: DeployDeps,
  input: DeployInput,
  { uid, isCurrent }: { uid: string | null; isCurrent: boolean },
): Promise<string> {
  const { wanted, signal } = input;
  const { namespace } = wanted.application.spec.destination;
  const live = deps.live.of(wanted).get(`/Namespace/${namespace}`);
  if (isCurrent && live !== undefined && !live.terminating && live.uid === uid) return live.uid;
  const desired = desiredNamespace({
    identity: identityOf(input),
    namespace,
    agent: input.agent,
    podSecurity: input.podSecurity,
    mergeRequest: annotation(wanted.application, 'merge-request'),
    url: annotation(wanted.application, 'url'),
  });
  const made = await ensureNamespace(deps.cluster, { identity: identityOf(input), desired, uid, signal });
  deps.live.record(made);
  return made.metadata.uid ?? '';
}

function identityOf(input: DeployInput): PreviewIdentity {
  return { installation: input.installation, slug: input.wanted.slug, incarnation: input.wanted.incarnation };
}
