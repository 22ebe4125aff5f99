import { isAppError } from '../error/app-error.js';
import type { Logger } from '../log/create-logger.js';
import { assess, unwellObjects } from './assess.js';
import type { ClusterReader } from './diagnose/cluster-reader.js';
import { diagnose } from './diagnose/diagnose.js';
import type { LiveObject } from './live/live-objects.js';
import { appliedInventory, awaitedInventory, type PreviewState } from './preview-state.js';
import { createWorkQueue, type WorkQueue } from './work-queue.js';

export interface LookerDeps {
  diagnose: ClusterReader;
  previews: ReadonlyMap<string, PreviewState>;
  live(pair: { slug: string; incarnation: number }): ReadonlyMap<string, LiveObject>;
  /** Tells the manager how a preview is now, and has it looked at again while it is not well. */
  report(slug: string): void;
  log: Logger;
}

/** Looks at once, so that a storm of failures does not crowd out the deployments. */
const concurrency = 4;

/** Looks at the pods of previews that are not well, one look at a time for each. */
export function createLooker(deps: LookerDeps): Pick<WorkQueue, 'add' | 'stop'> {
  async function look(slug: string, signal: AbortSignal): Promise<null> {
    const preview = deps.previews.get(slug);
    const inventory = preview === undefined ? null : (appliedInventory(preview) ?? awaitedInventory(preview));
    if (preview === undefined || inventory === null) return null;
    const unwell = unwellObjects(assess(preview, deps.live(inventory)).objects);
    if (unwell.length === 0) return null;
    const revision = preview.wanted?.revision ?? '';
    preview.looks += 1;
    try {
      const { namespace } = inventory;
      const finding = await diagnose(deps.diagnose, { namespace, unwell, now: Date.now(), signal });
      if (preview.wanted?.revision !== revision) return null;
      preview.finding = finding === null ? null : { ...finding, revision };
    } catch (error) {
      if (signal.aborted || !isAppError(error)) throw error;
      deps.log.info({ slug, code: error.code }, 'pods not looked at');
    }
    deps.report(slug);
    return null;
  }

  return createWorkQueue({
    concurrency,
    run: look,
    onError: (slug, error) => deps.log.error({ slug, err: error }, 'look at pods failed unexpectedly'),
  });
}
