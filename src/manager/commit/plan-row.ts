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
  }): Promise<MadeFile>;
  /** What files of a project are made with now; null: it is not in the configuration. */
  fingerprint(project: string, templates: ReadonlyMap<string, string>): string | null;
  readText(blob: string): Promise<string>;
  blobOf(text: string): string;
}

interface MadeFile {
  text: string;
  revision: string;
  url: string | null;
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
  /** null: nothing was rendered. */
  renderedWith: string | null;
}

export interface FailPlan {
  kind: 'fail';
  preview: Preview;
  events: DecisionEvent[];
  /** null: not again before something new is wanted. */
  retryMs: number | null;
  /** null: it was not the rendering that failed. */
  renderedWith: string | null;
}

/** The file stays as it is. */
export interface SettlePlan {
  kind: 'settle';
  preview: Preview;
  events: DecisionEvent[];
  /** null: nothing was rendered. */
  rendered: { with: string | null; problem: string | null } | null;
}

/** What becomes of one row. */
export type RowPlan = WritePlan | FailPlan | SettlePlan;

/** How long a refused push waits: a hook or a right that was mended is found without anybody's help. */
const refusedRetryMs = 10 * 60_000;

/** Decides what is to be written for one row, from what stands in the branch now. */
export async function planRow(deps: PlanDeps, context: PlanContext, row: BatchRow): Promise<RowPlan> {
  const { preview } = row;
  if (row.isSucceeded) return settle(row, null);
  if (!hasFile(preview.phase)) return planRemoval(deps, context, row);
  const isEdited = preview.edited !== null && preview.wantedRevision !== null;
  if (isEdited || !preview.members.some((member) => member.wantedSha !== null)) return settle(row, null);
  return planDeploy(deps, context, row);
}

async function planDeploy(deps: PlanDeps, context: PlanContext, row: BatchRow): Promise<RowPlan> {
  const { preview, facts } = row;
  if (facts === null) return failPlan(preview, 'template', 'GitLab said nothing of its merge request yet.');
  const { installation, view } = context;
  const renderedWith = deps.fingerprint(preview.project, view.templates);
  let file: MadeFile;
  try {
    file = await deps.render({ installation, preview, facts, templates: view.templates });
  } catch (error) {
    // What a person has to mend is this preview's own trouble; the rest stops the whole run, which is tried again.
    if (isAppError(error) && error.disposition === 'stall') return planTrouble(row, error.publicMessage, renderedWith);
    throw error;
  }
  if (await isForeign(deps, context, row)) {
    const words = `A file that is not Mayfly's stands at ${preview.slug}.yml in the branch; move it away or give the preview another name.`;
    return failPlan(preview, 'push', words);
  }
  if (await isThere(deps, context, row, file)) return settle(row, { with: renderedWith, problem: null });
  const after = rendered(preview, file, context.now);
  return {
    kind: 'write',
    row,
    preview: after,
    events: eventsBetween(preview, after, null),
    text: file.text,
    blob: deps.blobOf(file.text),
    verb: verbOf(row),
    cause: preview.ordered?.kind ?? causeOf(row),
    actor: preview.ordered?.by ?? 'mayfly',
    renderedWith,
  };
}

/**
 * A template that gives no file. What runs by an earlier file goes on as it is, and says so: nobody asked for another
 * sha of it. What has no file for its present wish has failed.
 */
function planTrouble(row: BatchRow, words: string, renderedWith: string | null): RowPlan {
  const runsOn = row.committedBlob !== null && row.preview.wantedRevision !== null;
  return runsOn
    ? settle(row, { with: renderedWith, problem: words })
    : { ...failPlan(row.preview, 'template', words), renderedWith };
}

/** Whether the file that stands in the branch asks for the same already: a commit would deploy nothing new. */
async function isThere(deps: PlanDeps, context: PlanContext, row: BatchRow, file: MadeFile): Promise<boolean> {
  const { preview, committedBlob, editedBlob } = row;
  const current = context.view.files.get(`${preview.slug}.yml`);
  const isOwn = current !== undefined && current === committedBlob && editedBlob === null;
  if (!isOwn || preview.wantedRevision !== file.revision || preview.url !== file.url) return false;
  if (current === deps.blobOf(file.text)) return true;
  // Printed in another way, such as by an earlier version: what it asks for is what counts.
  const parsed = parseFile(await deps.readText(current), context.installation);
  return parsed.kind === 'ours' && parsed.incarnation === preview.incarnation && parsed.revision === file.revision;
}

function settle(row: BatchRow, made: SettlePlan['rendered']): SettlePlan {
  const { preview, templateProblem } = row;
  const isNews = made !== null && made.problem !== templateProblem;
  return { kind: 'settle', preview, events: isNews ? [templateEvent(preview, made.problem)] : [], rendered: made };
}

/** What the history says of a template that gives no file any more, or does again. */
function templateEvent(preview: Preview, problem: string | null): DecisionEvent {
  const { slug, incarnation, phase } = preview;
  const kind = problem === null ? 'template-mended' : 'template-problem';
  return { slug, incarnation, kind, from: phase, to: phase, actor: null, detail: problem };
}

async function planRemoval(deps: PlanDeps, context: PlanContext, row: BatchRow): Promise<RowPlan> {
  const { preview } = row;
  if (await isForeign(deps, context, row)) return settle(row, null);
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
    renderedWith: null,
  };
}

/** The row after its file could not be made or pushed. */
export function failPlan(preview: Preview, cause: 'template' | 'push', words: string): FailPlan {
  const failed = commitFailed(preview, cause, words);
  // A removal that is refused leaves the phase as it is: the words say why nothing moves.
  const after = failed === preview ? { ...preview, message: words } : failed;
  const retryMs = cause === 'push' ? refusedRetryMs : null;
  return { kind: 'fail', preview: after, events: eventsBetween(preview, after, null), retryMs, renderedWith: null };
}

/** A file that Mayfly did not put there is never written over. What it wrote stays its own, whoever changed it. */
async function isForeign(deps: PlanDeps, context: PlanContext, row: BatchRow): Promise<boolean> {
  const current = context.view.files.get(`${row.preview.slug}.yml`);
  if (current === undefined || row.committedBlob !== null) return false;
  return parseFile(await deps.readText(current), context.installation).kind === 'foreign';
}

function verbOf({ preview }: BatchRow): CommitVerb {
  if (preview.wantAsleep) return 'sleep';
  return preview.sleepCause === null ? 'deploy' : 'wake';
}

/** Of a file that nobody ordered. */
function causeOf(row: BatchRow): string {
  const { preview, committedBlob } = row;
  if (committedBlob === null) return preview.incarnation === 1 ? 'opened' : 'restarted';
  // One that sleeps already is written again for another reason.
  const isAboutSleep = verbOf(row) === 'wake' || (preview.wantAsleep && preview.phase !== 'asleep');
  if (isAboutSleep && preview.sleepCause !== null) return preview.sleepCause;
  return hasNewSha(preview) ? 'push' : 'configuration';
}

function hasNewSha({ members }: Preview): boolean {
  return members.some((member) => member.wantedSha !== member.deployedSha);
}
