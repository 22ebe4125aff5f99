import { isAppError } from '../error/app-error.js';
import type { Logger } from '../log/create-logger.js';
import type { ObservedObject } from '../protocol/observations.js';
import { assess, unwellObjects } from './assess.js';
import { type DeployDeps, type DeployInput, deploy, hasDrift } from './deploy.js';
import { describeFailure, describeWaiting } from './failure.js';
import type { Inventory } from './inventory.js';
import type { LiveObject } from './live/live-objects.js';
import type { Sighting } from './observe.js';
import { appliedInventory, type PreviewState } from './preview-state.js';
import { type RetireDeps, retire } from './retire.js';
import type { Room } from './room.js';
import type { Waiting } from './run-stages.js';

export interface ReconcileDeps {
  deploy: DeployDeps;
  retire: RetireDeps;
  live(pair: { slug: string; incarnation: number }): ReadonlyMap<string, LiveObject>;
  /** 0 for a slug of which nothing was torn down. */
  tornDown(slug: string): number;
  /** Null: nothing may be touched now. */
  trusted(slug: string): { installation: string; head: string } | null;
  /** Who paused it, as the end of 'paused by …'; null: nobody. Waits until its namespace's annotations are known. */
  pausedBy(slug: string, signal: AbortSignal): Promise<string | null>;
  /** The places of the agent's configuration. */
  room: Room;
  /** What a person should see beside its objects. */
  remarks(slug: string): ObservedObject[];
  report(sighting: Sighting): void;
  /** What was said of it last needs no remembering. */
  forget(pair: { slug: string; incarnation: number }): void;
  /** A look at the pods is due after this long. */
  scheduleLook(slug: string, delayMs: number): void;
  /** Its objects are healthy, and its URL is to be asked. */
  scheduleProbe(slug: string): void;
  observeDuration(durationMs: number): void;
  log: Logger;
}

export type ReconcileSettings = Pick<DeployInput, 'agent' | 'namespacePrefix' | 'podSecurity' | 'hosts' | 'kinds'> & {
  teardownTimeoutMs: number;
};

/** Looks at the pods of what is not healthy: soon, and then ever more seldom. */
const lookDelaysMs = [800, 2_000, 5_000, 15_000, 60_000, 300_000];
/** The watch tells when what is waited for has changed; this is for the case that it does not. */
const waitingMs = 20_000;
/** Repairs within a minute that are done at once; further ones wait longer and longer. */
const quickRepairs = 5;
/** Room is told of; this is for a limit that was raised meanwhile, or a word that was lost. */
const noRoomMs = 60_000;

/**
 * Does what is due for one slug: takes what is condemned towards its end, and brings what is wanted to its revision.
 * Returns after how long it wants to be called again, or null. Level-based: it looks at nothing but the present state.
 */
export async function reconcile(
  deps: ReconcileDeps,
  settings: ReconcileSettings,
  preview: PreviewState,
  signal: AbortSignal,
): Promise<number | null> {
  if (await isPaused(deps, preview, signal)) return null;
  const trust = deps.trusted(preview.slug);
  if (trust === null) return null;
  await condemn(deps, preview, signal);
  const condemned = [...preview.inventories.values()].filter((inventory) => inventory.condemned !== null);
  for (const inventory of condemned) {
    const againMs = await retireOne(deps, { ...settings, ...trust }, preview, inventory, signal);
    if (againMs !== null) return againMs;
  }
  const { wanted } = preview;
  if (wanted === null) return null;
  if (deps.tornDown(preview.slug) >= wanted.incarnation) {
    deps.log.warn(
      { slug: wanted.slug, incarnation: wanted.incarnation },
      'file of a torn-down incarnation not applied',
    );
    return null;
  }
  // The one before it is held by the breaker: its name and namespace are taken.
  if ([...preview.inventories.keys()].some((incarnation) => incarnation !== wanted.incarnation)) return null;
  return deployWanted(deps, { ...settings, ...trust }, preview, signal);
}

/** A paused preview is not touched, and that is said: in the log, and of a revision that waits. */
async function isPaused(deps: ReconcileDeps, preview: PreviewState, signal: AbortSignal): Promise<boolean> {
  const by = await deps.pausedBy(preview.slug, signal);
  if (by !== preview.pausedBy) {
    deps.log.info({ slug: preview.slug, by }, by === null ? 'preview is no longer paused' : 'preview is paused');
  }
  preview.pausedBy = by;
  const { wanted } = preview;
  if (by === null || wanted === null || appliedInventory(preview) !== null) return by !== null;
  const sentence = `Preview ${wanted.slug} is paused by ${by}: this revision is not applied until it is resumed.`;
  preview.problem = {
    revision: wanted.revision,
    state: 'applying',
    diagnosis: { cause: 'apply', object: null, sentence, evidence: [] },
  };
  reportState(deps, preview, deps.trusted(preview.slug)?.head ?? '');
  return true;
}

/** Writes the verdicts down before they are carried out, so that a restart goes on without asking again. */
async function condemn(deps: ReconcileDeps, preview: PreviewState, signal: AbortSignal): Promise<void> {
  for (const [incarnation, why] of preview.verdicts) {
    const inventory = preview.inventories.get(incarnation);
    if (inventory !== undefined) {
      const condemned = { ...inventory, condemned: why };
      await deps.deploy.saveInventory(condemned, signal);
      preview.inventories.set(incarnation, condemned);
      deps.log.info({ slug: preview.slug, incarnation, why }, 'preview is torn down');
    }
    preview.verdicts.delete(incarnation);
  }
}

type Trusted = ReconcileSettings & { installation: string; head: string };

async function deployWanted(
  deps: ReconcileDeps,
  settings: Trusted,
  preview: PreviewState,
  signal: AbortSignal,
): Promise<number | null> {
  const { wanted } = preview;
  if (wanted === null) return null;
  const startedAt = Date.now();
  if (!preview.inventories.has(wanted.incarnation) && !deps.room.admit(wanted.slug)) {
    return turnAway(deps, settings, preview);
  }
  if (appliedInventory(preview) === null && preview.problem === null) reportState(deps, preview, settings.head);
  try {
    const { wrote, waiting } = await deploy(deps.deploy, {
      ...settings,
      wanted,
      inventory: preview.inventories.get(wanted.incarnation) ?? null,
      now: startedAt,
      onInventory: (inventory) => preview.inventories.set(inventory.incarnation, inventory),
      signal,
    });
    preview.failures = 0;
    preview.awaiting = waiting?.objects ?? null;
    if (waiting !== null) {
      preview.problem = describeWaiting(waiting, wanted.slug, wanted.revision);
      reportState(deps, preview, settings.head);
      return waitingDelay(waiting, deps.live(wanted));
    }
    preview.settled = true;
    preview.problem = null;
    if (wrote) {
      deps.observeDuration(Date.now() - startedAt);
      deps.log.info(
        { slug: wanted.slug, incarnation: wanted.incarnation, revision: wanted.revision },
        'preview applied',
      );
    }
  } catch (error) {
    if (signal.aborted || !isAppError(error)) throw error;
    return fail(deps, settings, preview, error);
  }
  reportState(deps, preview, settings.head);
  return repairDelay(deps, preview);
}

/** What changed while the wait was written down was not heard of: it is looked at at once. */
function waitingDelay({ objects }: Waiting, live: ReadonlyMap<string, LiveObject>): number {
  const changed = objects.some(({ group, kind, name, health }) => {
    const now = live.get(`${group}/${kind}/${name}`)?.health.status ?? 'Missing';
    return now !== health && now !== 'Progressing';
  });
  return changed ? 100 : waitingMs * (0.5 + Math.random() / 2);
}

/** There is no place for a new preview; the one that becomes free has it tried again. */
function turnAway(deps: ReconcileDeps, { agent, head }: Trusted, preview: PreviewState): number {
  const revision = preview.wanted?.revision ?? '';
  const sentence = `Preview ${preview.slug} is not deployed: as many previews live in the cluster ${agent} as \`limits.previews\` of its agent allows. It is deployed when one of them ends; stop one, or raise the limit.`;
  if (preview.problem?.state !== 'refused') deps.log.warn({ slug: preview.slug }, 'no room for a new preview');
  preview.problem = {
    revision,
    state: 'refused',
    diagnosis: { cause: 'apply', object: null, sentence, evidence: [], mender: 'operator' },
  };
  reportState(deps, preview, head);
  return noRoomMs;
}

function fail(
  deps: ReconcileDeps,
  settings: Trusted,
  preview: PreviewState,
  error: Parameters<typeof describeFailure>[0],
): number {
  const revision = preview.wanted?.revision ?? '';
  preview.awaiting = null;
  const failure = describeFailure(error, revision, preview.failures, Math.random());
  preview.problem = failure.problem;
  preview.failures += 1;
  const level = error.disposition === 'stall' ? 'warn' : 'info';
  deps.log[level](
    { slug: preview.slug, code: error.code, data: error.data, failures: preview.failures, retryMs: failure.retryMs },
    'preview not applied',
  );
  reportState(deps, preview, settings.head);
  return failure.retryMs;
}

/** Something may have been changed while it was applied. */
function repairDelay(deps: ReconcileDeps, preview: PreviewState): number | null {
  const inventory = appliedInventory(preview);
  if (inventory === null || !hasDrift(inventory, deps.live(inventory))) return null;
  return nextRepairMs(preview, Date.now());
}

/**
 * Notes a repair, and says after how long it may be done: at once, unless there were many in the last minute. What
 * changes while one is due is repaired with it.
 */
export function nextRepairMs(preview: PreviewState, now: number): number {
  const due = preview.repairs.at(-1) ?? 0;
  if (due > now) return due - now;
  const recent = preview.repairs.filter((at) => at > now - 60_000);
  const excess = recent.length + 1 - quickRepairs;
  const delayMs = excess <= 0 ? 1 : Math.min(60_000, 500 * 2 ** excess);
  preview.repairs = [...recent, now + delayMs];
  return delayMs;
}

/** Tells the manager how the wanted revision is at this moment, and has the pods looked at when it is not well. */
export function reportState(deps: ReconcileDeps, preview: PreviewState, head: string): void {
  const { wanted } = preview;
  if (wanted === null) return;
  const { state, objects, diagnosis, awaitsProbe } = assess(preview, deps.live(wanted));
  const known = preview.states.get(wanted.incarnation);
  preview.states.set(wanted.incarnation, state);
  deps.report({
    slug: wanted.slug,
    incarnation: wanted.incarnation,
    revision: wanted.revision,
    branchCommit: head,
    state,
    objects: [...objects, ...syncRemarks(preview), ...deps.remarks(wanted.slug)],
    diagnosis,
  });
  if (state !== known) deps.log.info({ slug: wanted.slug, incarnation: wanted.incarnation, state }, 'preview observed');
  if (awaitsProbe && preview.probe?.revision !== wanted.revision) deps.scheduleProbe(wanted.slug);
  const unwell = appliedInventory(preview) !== null && unwellObjects(objects).length > 0;
  if ((unwell && (state === 'progressing' || state === 'degraded')) || preview.awaiting !== null) {
    deps.scheduleLook(wanted.slug, lookDelaysMs[Math.min(preview.looks, lookDelaysMs.length - 1)] ?? 0);
  }
}

/** What the file asked for in vain, told beside the objects, for nothing failed. */
function syncRemarks({ wanted, inventories }: PreviewState): ObservedObject[] {
  const inventory = wanted === null ? undefined : inventories.get(wanted.incarnation);
  if (inventory === undefined || inventory.target !== wanted?.revision) return [];
  return (inventory.remarks ?? []).map((remark) => ({ ...remark, health: 'Healthy' }));
}

/** Returns when to look again, or null when it is gone. */
async function retireOne(
  deps: ReconcileDeps,
  settings: Trusted,
  preview: PreviewState,
  inventory: Inventory,
  signal: AbortSignal,
): Promise<number | null> {
  const { slug, incarnation } = inventory;
  const say = (state: 'terminating' | 'gone', diagnosis: Sighting['diagnosis']) => {
    if (preview.states.get(incarnation) !== state) deps.log.info({ slug, incarnation, state }, 'preview observed');
    preview.states.set(incarnation, state);
    const { head } = settings;
    deps.report({ slug, incarnation, revision: null, branchCommit: head, state, objects: [], diagnosis });
  };
  if (preview.states.get(incarnation) !== 'terminating') say('terminating', null);
  const { installation, teardownTimeoutMs: timeoutMs } = settings;
  const since = preview.terminatingSince;
  const result = await retire(deps.retire, { installation, inventory, since, timeoutMs, now: Date.now(), signal });
  if (result.state === 'terminating') {
    const { error } = result;
    if (error !== null) {
      deps.log.warn({ slug, incarnation, code: error.code, data: error.data }, 'teardown failed; it is tried again');
    }
    preview.terminatingSince = result.since;
    say('terminating', result.diagnosis);
    return result.againMs;
  }
  preview.terminatingSince = null;
  preview.inventories.delete(incarnation);
  say('gone', null);
  preview.states.delete(incarnation);
  deps.forget(inventory);
  deps.room.leave(slug);
  return null;
}
