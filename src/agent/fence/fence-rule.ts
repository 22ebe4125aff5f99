import type { Manifest } from '../manifest.js';

/** What the rules know of the preview whose manifests they judge. */
export interface FenceContext {
  slug: string;
  namespace: string;
  /** The host of the preview's own URL, when the agent's configuration allows it; null: no host is the preview's. */
  host: string | null;
  /** Kinds beyond the built-in ones that the operator lets in, as `group/Kind`. */
  allowKinds: readonly string[];
  /** Kinds that the operator keeps out, as `group/Kind` (`/Pod` for the core group). */
  denyKinds: readonly string[];
}

/** One rule: each thing in the object that it refuses, as the end of the sentence 'Kind/name: …'. */
export type FenceRule = (manifest: Manifest, context: FenceContext) => string[];

/** `condition` said as a list: what is refused, or nothing. */
export function refuseIf(condition: boolean, reason: string): string[] {
  return condition ? [reason] : [];
}
