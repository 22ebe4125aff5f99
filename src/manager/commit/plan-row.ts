import { isAppError } from '../../error/app-error.js';
import type { DecisionEvent } from '../../preview/decision.js';
import { commitFailed, rendered } from '../../preview/deployment.js';
import { eventsBetween } from '../../preview/events.js';
import type { MergeRequestFacts } from '../../preview/facts.js';
import { hasFile } from '../../preview/lifecycle.js';
import type { Instant, Preview } from '../../preview/preview.js';
import type { BatchRow, BranchView } from './deps.js';
import type { CommitVerb } from './message.js';
import { parseFile } from './read-file.js';

export interface PlanDeps {
  /** The file of a preview; throws errors of disposition `stall` for what a person has to mend. */
  render(request: {
    installation: string;
    preview: Preview;
    facts: MergeRequestFacts;
    templates: ReadonlyMap<string, string>;
  }): Promise<{ text: string; revision: string }>;
  readText(blob: string): Promise<string>;
  blobOf(text: string): string;
}

export interface PlanContext {
  installation: string;
  view: BranchView;
  now: Instant;
}

/** A row whose file is to be written, or removed. */
export interface WritePlan {
  kind: 'write';
  /** The row as it was loaded. */
  row: BatchRow;
  /** As it should be saved. */
  preview: Preview;
  events: DecisionEvent[];
  text: string | null;
  blob: string | null;
  verb: CommitVerb;
  cause: string;
  actor: string;
}

export interface FailPlan {
  kind: 'fail';
  preview: Preview;
  events: DecisionEvent[];
  /** null: not again before something new is wanted. */
  retryMs: number | null;
}

/** What becomes of one row. `settle`: the file stays as it is. */
export type RowPlan = WritePlan | FailPlan | { kind: 'settle'; preview: Preview };

/** How long a refused push waits: a hook or a right that was mended is found without anybody's help. */
const refusedRetryMs = 10 * 60_000;

/** Decides what is to be written for one row, from what stands in the branch now. */
export async function planRow(deps: PlanDeps, context: PlanContext, row: BatchRow): Promise<RowPlan> {
  const { preview } = row;
  if (row.isSucceeded) return { kind: 'settle', preview };
  if (!hasFile(preview.phase)) return planRemoval(deps, context, row);
  const isEdited = preview.edited !== null && preview.wantedRevision !== null;
  if (isEdited || !preview.members.some((member) => member.wantedSha !== null)) return { kind: 'settle', preview };
  return planDeploy(deps, context, row);
}

async function planDeploy(deps: PlanDeps, context: PlanContext, row: BatchRow): Promise<RowPlan> {
  const { preview, facts } = row;
  if (facts === null) return failPlan(preview, 'template', 'GitLab said nothing of its merge request yet.');
  const { installation, view } = context;
  let file: { text: string; revision: string };
  try {
    file = await deps.render({ installation, preview, facts, templates: view.templates });
  } catch (error) {
    // What a person has to mend is this preview's own trouble; the rest stops the whole run, which is tried again.
    if (isAppError(error) && error.disposition === 'stall') return failPlan(preview, 'template', error.publicMessage);
    throw error;
  }
  if (await isForeign(deps, context, row)) {
    const words = `A file that is not Mayfly's stands at ${preview.slug}.yml in the branch; move it away or give the preview another name.`;
    return failPlan(preview, 'push', words);
  }
  const after = rendered(preview, file.revision, context.now);
  return {
    kind: 'write',
    row,
    preview: after,
    events: eventsBetween(preview, after, null),
    text: file.text,
    blob: deps.blobOf(file.text),
    verb: preview.phase === 'asleep' ? 'sleep' : 'deploy',
    cause: deployCause(row),
    actor: 'mayfly',
  };
}

async function planRemoval(deps: PlanDeps, context: PlanContext, row: BatchRow): Promise<RowPlan> {
  const { preview } = row;
  if (await isForeign(deps, context, row)) return { kind: 'settle', preview };
  return {
    kind: 'write',
    row,
    preview,
    events: [],
    text: null,
    blob: null,
    verb: 'remove',
    cause: preview.stopReason ?? 'stopped',
    actor: preview.stoppedBy ?? 'mayfly',
  };
}

/** The row after its file could not be made or pushed. */
export function failPlan(preview: Preview, cause: 'template' | 'push', words: string): FailPlan {
  const failed = commitFailed(preview, cause, words);
  // A removal that is refused leaves the phase as it is: the words say why nothing moves.
  const after = failed === preview ? { ...preview, message: words } : failed;
  const retryMs = cause === 'push' ? refusedRetryMs : null;
  return { kind: 'fail', preview: after, events: eventsBetween(preview, after, null), retryMs };
}

/** A file that Mayfly did not put there is never written over. What it wrote stays its own, whoever changed it. */
async function isForeign(deps: PlanDeps, context: PlanContext, row: BatchRow): Promise<boolean> {
  const current = context.view.files.get(`${row.preview.slug}.yml`);
  if (current === undefined || row.committedBlob !== null) return false;
  return parseFile(await deps.readText(current), context.installation).kind === 'foreign';
}

function deployCause({ preview, committedBlob }: BatchRow): string {
  if (committedBlob === null) return preview.incarnation === 1 ? 'opened' : 'restarted';
  const isNewSha = preview.members.some((member) => member.wantedSha !== member.deployedSha);
  return isNewSha ? 'push' : 'configuration';
}
