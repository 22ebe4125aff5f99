import type { Logger } from '../log/create-logger.js';
import type { BranchFile } from './branch/read-file.js';
import { pairKey } from './inventory.js';
import { createPreviewState, type PreviewState, setWanted } from './preview-state.js';

/** An incarnation that the branch no longer asks for. */
export interface PendingPair {
  slug: string;
  incarnation: number;
}

export interface ChangeDeps {
  previews: Map<string, PreviewState>;
  /** What is to go, by `slug#incarnation`. */
  pending: Map<string, PendingPair>;
  /** Something is due for the slug; `supersede` ends what is being done for it. */
  enqueue(slug: string, supersede: boolean): void;
  /** An incarnation whose file went before anything of it was in the cluster. */
  neverMade(pair: PendingPair, head: string): void;
  log: Logger;
}

/** Takes a file that is new, or is another one than at the last look. */
export function takeFile(deps: ChangeDeps, slug: string, file: BranchFile, head: string): void {
  const known = deps.previews.get(slug);
  switch (file.kind) {
    case 'wanted': {
      const preview = known ?? createPreviewState(slug);
      deps.previews.set(slug, preview);
      replaceWanted(deps, preview, file.wanted, head);
      // An older incarnation makes way. A newer one does not: the file was set back, and nobody is torn down for that.
      markPending(deps, slug, (incarnation) => incarnation < file.wanted.incarnation);
      break;
    }
    case 'elsewhere':
      if (known !== undefined) replaceWanted(deps, known, null, head);
      markPending(deps, slug, (incarnation) => incarnation < file.incarnation);
      break;
    case 'foreign':
    case 'refused':
    case 'unreadable':
      // What lives stays as it is: such a file says nothing that could be obeyed.
      deps.log.warn({ slug, kind: file.kind, why: 'why' in file ? file.why : null }, 'file not followed');
      if (known !== undefined) setWanted(known, null);
      markPending(deps, slug, () => false);
      break;
    default:
      file satisfies never;
  }
  deps.enqueue(slug, true);
}

/** Takes that a slug has no file any more. */
export function takeRemoval(deps: ChangeDeps, slug: string, head: string): void {
  const preview = deps.previews.get(slug);
  if (preview === undefined) return;
  replaceWanted(deps, preview, null, head);
  markPending(deps, slug, () => true);
  deps.enqueue(slug, true);
}

function replaceWanted(deps: ChangeDeps, preview: PreviewState, wanted: PreviewState['wanted'], head: string): void {
  const before = preview.wanted;
  setWanted(preview, wanted);
  if (before === null || before.incarnation === wanted?.incarnation) return;
  // Somebody's wrong number was taken back: it was no incarnation, and must not stand in the way of those below it.
  if (wanted !== null && wanted.incarnation < before.incarnation) return;
  if (!preview.inventories.has(before.incarnation)) deps.neverMade(before, head);
}

function markPending(deps: ChangeDeps, slug: string, concerns: (incarnation: number) => boolean): void {
  for (const { incarnation, condemned } of deps.previews.get(slug)?.inventories.values() ?? []) {
    const pair = { slug, incarnation };
    if (condemned === null && concerns(incarnation)) deps.pending.set(pairKey(pair), pair);
    else deps.pending.delete(pairKey(pair));
  }
}

/** Every incarnation that lives here and whose end was not decided. */
export function livingPairs(previews: ReadonlyMap<string, PreviewState>): PendingPair[] {
  return [...previews.values()].flatMap(({ slug, inventories }) =>
    [...inventories.values()]
      .filter(({ condemned }) => condemned === null)
      .map(({ incarnation }) => ({ slug, incarnation })),
  );
}

/** Whether it lives, and its end is not decided yet. */
export function isUndecided(previews: ReadonlyMap<string, PreviewState>, pair: PendingPair): boolean {
  const preview = previews.get(pair.slug);
  return preview?.inventories.get(pair.incarnation)?.condemned === null && !preview.verdicts.has(pair.incarnation);
}
