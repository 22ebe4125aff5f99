import { setTimeout as delay } from 'node:timers/promises';
import { findObject } from './find-object.js';
import type { Manifest, ObjectReference } from './manifest.js';

export interface GoneDeps {
  get(reference: ObjectReference, signal: AbortSignal): Promise<Manifest>;
}

/** Most objects go at once; what takes longer is not waited for here, but by being tried again. */
const patienceMs = 3_000;
const firstPauseMs = 20;
const maxPauseMs = 400;

/** Whether the object of this UID went within a few seconds. */
export async function waitUntilGone(
  deps: GoneDeps,
  object: { reference: ObjectReference; uid: string },
  signal: AbortSignal,
): Promise<boolean> {
  let waitedMs = 0;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
    const found = await findObject(deps, object.reference, signal);
    if (found?.metadata.uid !== object.uid) return true;
    if (waitedMs >= patienceMs) return false;
    await delay(pauseMs, undefined, { signal });
    waitedMs += pauseMs;
  }
}
