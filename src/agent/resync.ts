import { isAppError } from '../error/app-error.js';
import { hasDrift } from './deploy.js';
import { appliedInventory, isCondemned } from './preview-state.js';
import type { Shared } from './wiring.js';

/** What a list tells and its watch does not within this time, the watch has missed. */
const graceMs = 2_000;

/** Compares what the watches have told with lists that the API server answers, one kind after the other. */
export async function compareWithCluster(shared: Pick<Shared, 'parts' | 'view' | 'signal'>): Promise<void> {
  for (const kind of shared.view.objects()?.kinds() ?? []) await verifyKind(shared, kind);
}

/** Has everything done that could not be done before, or that no one told of. */
export function takeUp({ previews, view, queue }: Pick<Shared, 'previews' | 'view' | 'queue'>): void {
  for (const preview of previews.values()) {
    const inventory = appliedInventory(preview);
    const fine = inventory !== null && preview.settled && !hasDrift(inventory, view.of(inventory));
    if (!fine && (preview.wanted !== null || isCondemned(preview))) queue.add(preview.slug);
  }
}

/** A kind that cannot be listed now is compared the next time. */
async function verifyKind(
  { parts: { log, metrics }, view, signal }: Pick<Shared, 'parts' | 'view' | 'signal'>,
  { apiVersion, kind }: { apiVersion: string; kind: string },
): Promise<void> {
  if (signal.aborted) return;
  try {
    const missed = (await view.objects()?.verify({ apiVersion, kind }, graceMs, signal)) ?? 0;
    if (missed === 0) return;
    metrics?.countMissed({ kind, count: missed });
    log.warn({ kind, missed }, 'watch had missed changes; they are taken from a list');
  } catch (error) {
    if (signal.aborted) return;
    if (!isAppError(error)) throw error;
    log.debug({ kind, code: error.code }, 'kind not compared with the API server');
  }
}
