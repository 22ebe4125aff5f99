import type { Wish } from './facts.js';
import { hasFile, transition } from './lifecycle.js';
import type { Instant, Preview } from './preview.js';

/** What people did to a preview's file in the branch, as the read-back found it. */
export type BranchFact =
  /** The file is another one, and may be. `revision`: its fingerprint. */
  | { kind: 'edited'; revision: string; by: string; at: Instant }
  /** The file is another one, and what it changed may not be changed: installation, incarnation, name, destination. */
  | { kind: 'refused'; by: string; at: Instant; detail: string }
  | { kind: 'removed'; by: string; at: Instant }
  /** A file that was removed stands there again. */
  | { kind: 'restored'; by: string; at: Instant };

/** A removal is a wish to stop, a restored file one to start; the read-back stores it with the other wishes. */
export function wishOfBranch(fact: BranchFact | null): Wish | null {
  if (fact === null || (fact.kind !== 'removed' && fact.kind !== 'restored')) {
    return null;
  }
  const kind = fact.kind === 'removed' ? 'stop' : 'start';
  return { kind, source: 'git', amountMs: null, at: fact.at, by: fact.by };
}

/**
 * The row after a person's edit: deployed as edited, the wanted sha stays. An edit whose fingerprint is the same (a
 * comment) deploys nothing, and is marked, so that it is not written over.
 */
export function applyEdit(preview: Preview, fact: BranchFact | null, now: Instant): Preview {
  if (fact === null || !hasFile(preview.phase)) {
    return preview;
  }
  if (fact.kind === 'refused') {
    return { ...preview, edited: 'refused' };
  }
  if (fact.kind !== 'edited') {
    return preview;
  }
  if (fact.revision === preview.wantedRevision) {
    return { ...preview, edited: 'edited' };
  }
  const patch = { wantedRevision: fact.revision, edited: 'edited' as const, deployingSince: now };
  return transition(preview, 'deploying', patch);
}
