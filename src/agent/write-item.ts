import { isAppError } from '../error/app-error.js';
import { applyObject } from './apply/apply-objects.js';
import { recreateObject } from './apply/recreate-object.js';
import type { Manifest } from './manifest.js';
import type { DesiredItem } from './plan/desired-item.js';
import { examine, type Verdict } from './plan/examine.js';
import { withAnswer } from './plan/make-plan.js';
import type { Sync } from './sync.js';

/** Brings one object to what is desired. What is not there is applied at once; what may differ is looked at first. */
export async function writeItem(sync: Sync, item: DesiredItem): Promise<void> {
  const { cluster, verdicts, plan, signal } = sync;
  if (plan.needs.get(item) === 'create') {
    try {
      return take(
        sync,
        item,
        await write(sync, item.key, { do: 'apply', manifest: item.manifest, force: item.options.force }),
      );
    } catch (error) {
      if (!isThereAfterAll(error)) throw error;
    }
  }
  const verdict = verdicts.get(item) ?? (await examine(cluster, item, signal));
  take(sync, item, verdict.do === 'nothing' ? verdict.live : await write(sync, item.key, verdict));
}

type Write =
  | Pick<Extract<Verdict, { do: 'apply' }>, 'do' | 'manifest' | 'force'>
  | Pick<Extract<Verdict, { do: 'recreate' }>, 'do' | 'manifest' | 'uid'>;

async function write(sync: Sync, key: string, input: Write): Promise<Manifest> {
  const { cluster, ledger, signal } = sync;
  sync.noteWrite();
  const isSame = sync.live.of(sync.pair).get(key)?.uid === ledger.entry(key)?.uid;
  if (input.do === 'recreate' || !isSame) await ledger.expectAnother(key);
  return input.do === 'recreate'
    ? recreateObject(cluster, { ...input, force: false }, signal)
    : applyObject(cluster, input.manifest, { force: input.force, signal });
}

function take(sync: Sync, item: DesiredItem, stored: Manifest): void {
  const entry = sync.ledger.entry(item.key);
  if (entry !== undefined) sync.ledger.replace(withAnswer(entry, stored, item.print));
  sync.live.record(stored);
}

/** Somebody else made it, so that neither labels nor inventory told of it: its fields or its kind say no. */
function isThereAfterAll(error: unknown): boolean {
  return isAppError(error, 'kube-conflict') || isAppError(error, 'kube-invalid');
}
