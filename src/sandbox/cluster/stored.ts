import type { KubeObject } from './object.js';

/** What server-side apply last got from each field manager, by the manager's name. */
export type AppliedSets = Readonly<Record<string, KubeObject>>;

/** An object where it is kept. */
export interface Stored {
  storage: string;
  object: KubeObject;
  applied: AppliedSets;
}
