import type { Logger } from 'pino';
import { isAppError } from '../../error/app-error.js';
import { imagePauseMs } from '../../preview/image-pause.js';
import { parseImage } from '../../preview/image-reference.js';

/** An image that a sha waits for and that is to be looked for now. */
interface DueImage {
  projectId: number;
  sha: string;
  image: string;
  /** How often it was looked for since something last happened to the sha. */
  looks: number;
}

/** What one look said. */
interface ImageLook extends DueImage {
  found: boolean;
  /** Somebody must act before it can be found. */
  failed: boolean;
  /** Why nobody knows whether it is there; null: it is, or it is not. */
  detail: string | null;
  /** Not before this long is it looked for again. */
  pauseMs: number;
}

export interface ImageDeps {
  /** Those of one registry whose time has come, the longest due first; at most so many. */
  takeDue: (query: { registry: string; limit: number }) => Promise<DueImage[]>;
  /** Remembers what was found, and asks for the decisions that depend on what changed. */
  saveLooks: (looks: readonly ImageLook[]) => Promise<void>;
  /** Has the job run again when the next image of the registry is due; nothing is done where none is awaited. */
  scheduleNext: (registry: string) => Promise<void>;
  hasImage: (input: {
    projectId: number;
    host: string;
    repository: string;
    tag: string;
    signal: AbortSignal;
  }) => Promise<boolean>;
  log: Logger;
}

const limit = 200;
/** Questions to one registry at once. */
const atOnce = 4;

/**
 * The job `images` of one registry: looks for all images that are due there, of however many previews, with few
 * questions at once. A registry that does not answer is left alone for the rest of the run, and no other waits for it.
 */
export async function lookForImages(deps: ImageDeps, input: { registry: string; signal: AbortSignal }): Promise<void> {
  const { registry, signal } = input;
  const due = await deps.takeDue({ registry, limit });
  const queue = [...group(due).values()];
  const missing: ImageLook[] = [];
  let outage: Verdict | null = null;
  const work = async (): Promise<void> => {
    for (let same = queue.shift(); same !== undefined; same = queue.shift()) {
      const verdict: Verdict = outage ?? (await look(deps, same, signal));
      if (verdict.outage) outage = verdict;
      const looks = same.map((each) => toLook(each, verdict));
      // What was found starts its previews while the rest is still being looked for.
      if (verdict.found) await deps.saveLooks(looks);
      else missing.push(...looks);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  await deps.saveLooks(missing);
  await deps.scheduleNext(registry);
}

interface Verdict {
  found: boolean;
  failed: boolean;
  detail: string | null;
  /** The registry itself cannot say: asking it for others is of no use now. */
  outage: boolean;
  /** It said not to ask sooner. */
  retryAfterMs: number;
}

const absent: Verdict = { found: false, failed: false, detail: null, outage: false, retryAfterMs: 0 };

async function look(deps: ImageDeps, same: readonly DueImage[], signal: AbortSignal): Promise<Verdict> {
  const [first] = same;
  const reference = first === undefined ? null : parseImage(first.image);
  if (first === undefined || reference === null) return absent;
  try {
    const found = await deps.hasImage({ projectId: first.projectId, ...reference, signal });
    return { ...absent, found };
  } catch (error) {
    if (!isAppError(error) || signal.aborted) throw error;
    deps.log.warn({ image: first.image, err: error }, 'image not looked for');
    const { retryAfterMs } = error.data;
    return {
      ...absent,
      failed: error.disposition !== 'retry',
      detail: error.publicMessage,
      outage: error.disposition === 'retry',
      retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : 0,
    };
  }
}

function toLook(due: DueImage, verdict: Verdict): ImageLook {
  const { found, failed, detail, retryAfterMs } = verdict;
  const pauseMs = Math.max(imagePauseMs(due.looks + 1, failed), retryAfterMs);
  return { ...due, found, failed, detail, pauseMs };
}

/** One question for all who wait for the same image. */
function group(due: readonly DueImage[]): Map<string, DueImage[]> {
  const groups = new Map<string, DueImage[]>();
  for (const each of due) {
    const key = `${each.projectId} ${each.image}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return groups;
}
