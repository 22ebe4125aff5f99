import { canTransition, transition } from './lifecycle.js';
import type { Cause, Instant, Preview } from './preview.js';

/**
 * The row once its file was rendered: `revision` is what Git should hold, `url` where that is opened. A revision that was not deployed yet is a
 * deployment, whatever made the file differ (a sha, a template, a value); one that declares it asleep puts it to sleep.
 * Saved before the push.
 */
export function rendered(before: Preview, file: { revision: string; url: string | null }, now: Instant): Preview {
  const { revision, url } = file;
  // That it woke is told by this very file.
  const preview = before.wantAsleep || before.sleepCause === null ? before : { ...before, sleepCause: null };
  if (preview.wantAsleep && (preview.phase === 'ready' || preview.phase === 'failed')) {
    return transition(preview, 'asleep', { url, wantedRevision: revision });
  }
  if (preview.wantedRevision === revision) {
    return preview.url === url ? preview : { ...preview, url };
  }
  const wanted = { ...preview, url, wantedRevision: revision };
  const isNew = revision !== preview.deployedRevision && (preview.phase === 'ready' || preview.phase === 'failed');
  return isNew ? transition(wanted, 'deploying', { deployingSince: now }) : wanted;
}

/** The row when its file could not be rendered or pushed: it failed with these words; the others go on. */
export function commitFailed(preview: Preview, cause: Extract<Cause, 'template' | 'push'>, message: string): Preview {
  if (preview.phase === 'failed') {
    return { ...preview, cause, message };
  }
  return canTransition(preview.phase, 'failed') ? transition(preview, 'failed', { cause, message }) : preview;
}
