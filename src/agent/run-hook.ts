import { AppError, isAppError } from '../error/app-error.js';
import type { ObservedObject } from '../protocol/observations.js';
import { hookOutcome } from './hooks/hook-outcome.js';
import { hookRun, startHook } from './hooks/start-hook.js';
import type { HookRecord, InventoryEntry } from './inventory.js';
import { contentPrint, displayName, groupOf } from './manifest.js';
import { type DesiredItem, type HookRun, isDeletedAfter } from './plan/desired-item.js';
import { endedIn } from './plan/make-plan.js';
import { refusalOf } from './refusal.js';
import type { Sync } from './sync.js';

/** A diagnosis is worth this much waiting, no more. */
const diagnosisMs = 10_000;

/**
 * Takes a hook a step further: makes its object, or sees how it is. Answers it while it runs, and null when it has
 * succeeded; that is written down before its object is deleted. Throws `hook-failed` (stall), now and whenever it is
 * asked again for the same revision.
 */
export async function runHook(sync: Sync, item: DesiredItem, hook: HookRun): Promise<ObservedObject | null> {
  const entry = sync.ledger.entry(item.key);
  const record = entry?.hook;
  if (entry === undefined || record === undefined) return null;
  const before = endedIn(record, sync.revision)[hook.phase];
  if (before !== undefined) {
    // An agent that was killed after it had noted the end has left the object.
    await removeEnded(sync, item, { hook, outcome: before });
    if (before === 'Failed') throw hookFailed(sync, item, hook, record);
    return null;
  }
  const run = hookRun(sync.revision, hook.phase);
  const seen = sync.live.of(sync.pair).get(item.key);
  // Gone before it was seen to end, by whatever hand: it runs again.
  if (record.run !== run || seen === undefined || seen.uid !== entry.uid)
    await start(sync, item, { entry, record, run });
  const health = sync.live.of(sync.pair).get(item.key)?.health ?? { status: 'Progressing' as const, message: '' };
  const outcome = hookOutcome(health.status);
  const { apiVersion, kind, metadata } = item.manifest;
  const observed = { group: groupOf(apiVersion), kind, name: metadata.name };
  if (outcome === null) return { ...observed, health: health.status, message: health.message || null };
  const why =
    outcome === 'Succeeded'
      ? undefined
      : await explain(sync, { ...observed, health: 'Degraded', message: health.message });
  await end(sync, item, { hook, outcome, why });
  const ended = sync.ledger.entry(item.key)?.hook;
  if (outcome === 'Failed' && ended !== undefined) throw hookFailed(sync, item, hook, ended);
  return null;
}

async function start(
  sync: Sync,
  item: DesiredItem,
  { entry, record, run }: { entry: InventoryEntry; record: HookRecord; run: string },
): Promise<void> {
  const { cluster, identity, signal } = sync;
  sync.noteWrite();
  await sync.ledger.expectAnother(item.key);
  const input = { identity, manifest: item.manifest, run, signal };
  const stored = await startHook(cluster, input).catch((error: unknown) => {
    throw refusalOf(item.manifest, error);
  });
  const { uid = null, generation = null } = stored.metadata;
  sync.ledger.replace({
    ...entry,
    uid,
    generation,
    print: contentPrint(stored),
    applied: item.print,
    hook: { ...record, run },
  });
  sync.live.record(stored);
}

async function end(
  sync: Sync,
  item: DesiredItem,
  { hook, outcome, why }: { hook: HookRun; outcome: 'Succeeded' | 'Failed'; why: HookRecord['why'] },
): Promise<void> {
  const entry = sync.ledger.entry(item.key);
  if (entry?.hook === undefined) return;
  const ended = { ...endedIn(entry.hook, sync.revision), [hook.phase]: outcome };
  sync.ledger.replace({ ...entry, hook: { ...entry.hook, ended, ...(why === undefined ? {} : { why }) } });
  // An agent that is killed now, or later when its object is gone, must neither run it again nor forget why it failed.
  await sync.ledger.save();
  await removeEnded(sync, item, { hook, outcome });
}

/** Deletes the object of a run that ended, where its policies say so and it is still there. */
async function removeEnded(
  sync: Sync,
  item: DesiredItem,
  { hook, outcome }: { hook: HookRun; outcome: 'Succeeded' | 'Failed' },
): Promise<void> {
  const entry = sync.ledger.entry(item.key);
  const uid = entry?.uid ?? null;
  // Another phase may have run under the same name since.
  if (uid === null || entry?.hook?.run !== hookRun(sync.revision, hook.phase)) return;
  if (!isDeletedAfter(hook, outcome) || sync.live.of(sync.pair).get(item.key)?.uid !== uid) return;
  const { apiVersion, kind, metadata } = item.manifest;
  const reference = { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
  try {
    await sync.cluster.remove(reference, { preconditions: { uid }, signal: sync.signal });
  } catch (error) {
    if (!isAppError(error, 'kube-not-found') && !isAppError(error, 'kube-conflict')) throw error;
  }
}

/** What its pods say, read before they are deleted with it. */
async function explain(sync: Sync, failed: ObservedObject): Promise<HookRecord['why']> {
  const { namespace } = sync.ledger.inventory();
  const limited = AbortSignal.any([sync.signal, AbortSignal.timeout(diagnosisMs)]);
  // What a pod printed last travels only when it was redacted.
  const sentence = failed.kind === 'Pod' ? '' : (failed.message ?? '');
  const plain = { object: displayName(failed), sentence, evidence: [] };
  try {
    const found = await sync.diagnose({ namespace, unwell: [failed], signal: limited });
    if (found === null) return plain;
    const { cause: _, ...why } = found.diagnosis;
    return why;
  } catch (error) {
    sync.signal.throwIfAborted();
    if (!isAppError(error) && !limited.aborted) throw error;
    return plain;
  }
}

function hookFailed(sync: Sync, item: DesiredItem, hook: HookRun, { why }: HookRecord): AppError {
  const object = displayName({ kind: item.manifest.kind, name: item.manifest.metadata.name });
  const reason = why === undefined || why.sentence === '' ? '' : `: ${why.sentence}`;
  return new AppError({
    code: 'hook-failed',
    disposition: 'stall',
    publicMessage: `Preview ${sync.identity.slug}: the ${hook.phase} hook ${object} failed${reason}. Nothing after it was applied, and it is not run again for this revision. Mend it and push again; where it was not its own fault, \`/preview redeploy\` runs it once more.`,
    data: { object: why?.object ?? object, evidence: why?.evidence ?? [], logs: why?.logs ?? [] },
  });
}
