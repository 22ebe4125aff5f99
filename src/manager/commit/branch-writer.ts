import { setTimeout as delay } from 'node:timers/promises';
import { type CommitDeps, commitPlan } from './commit-plan.js';
import type { BranchView, RowStore, SettledRow } from './deps.js';
import type { FollowUp } from './follow-up.js';
import type { InstallationState } from './installation.js';
import { commitSubject } from './message.js';
import { type FailPlan, failPlan, type PlanDeps, planRow, type SettlePlan, type WritePlan } from './plan-row.js';
import { type SyncDeps, type SyncResult, syncBranch } from './sync-branch.js';
import { branchBusy } from './write-errors.js';

export interface BranchWriterDeps<View extends BranchView> extends SyncDeps<View>, CommitDeps {
  rows: RowStore;
  render: PlanDeps['render'];
  fingerprint: PlanDeps['fingerprint'];
  /** Told after each push; for a metric. */
  pushed?(result: { outcome: 'published' | 'raced' | 'refused'; rows: number }): void;
}

export interface BranchWriter {
  /**
   * Writes all rows that wait for it, in as few pushes as possible. Safe to run at any time and again: it ends when
   * nothing waits. Rejects with `branch-busy` when every push lost its race, and with the errors of the mirror.
   */
  write(signal?: AbortSignal): Promise<void>;
  /** Takes in what people did to the branch, without writing files. `pending`: rows wait for `write`. */
  look(signal?: AbortSignal): Promise<{ blockedReason: string | null; pending: boolean }>;
}

/** Rows of one push. */
const batchSize = 500;
/** A head seen so short a time ago is built upon without a fetch: the compare-and-swap protects it. */
const trustMs = 15_000;
/** Rows of a push after which the next does not wait. */
const fewRows = 5;
const longestGatherMs = 400;
/** Races lost in a row before the job is tried again later. */
const maxRaces = 20;

/** The one writer of the branch in this process; its two operations never overlap. */
export function createBranchWriter<View extends BranchView>(deps: BranchWriterDeps<View>): BranchWriter {
  let last: Promise<unknown> = Promise.resolve();
  function inTurn<T>(call: () => Promise<T>): Promise<T> {
    const mine = last.then(call, call);
    last = mine;
    return mine;
  }
  return {
    write: (signal) => inTurn(() => writeOrTell(deps, signal)),
    look: (signal) =>
      inTurn(async () => {
        const synced = await syncUntilSettled(deps, signal);
        return {
          blockedReason: synced.state === 'blocked' ? synced.reason : null,
          pending: synced.state !== 'blocked' && (await deps.rows.hasPending()),
        };
      }),
  };
}

/** Decisions leave it to the writer to have their merge requests told: those that cannot be written are told as well. */
async function writeOrTell<View extends BranchView>(deps: BranchWriterDeps<View>, signal?: AbortSignal): Promise<void> {
  try {
    if ((await write(deps, signal)) === 'written') return;
  } catch (error) {
    // The error is the one to know of, also when the database is out of order with the rest.
    await Promise.allSettled([deps.rows.tellPending()]);
    throw error;
  }
  await deps.rows.tellPending();
}

async function write<View extends BranchView>(
  deps: BranchWriterDeps<View>,
  signal?: AbortSignal,
): Promise<'written' | 'blocked'> {
  for (let races = 0; races < maxRaces; ) {
    signal?.throwIfAborted();
    let view = await deps.branch.look({ maxAgeMs: trustMs, ...(signal === undefined ? {} : { signal }) });
    let batch = await deps.rows.load(batchSize);
    if (!isInStep(view, batch.installation)) {
      const synced = await syncUntilSettled(deps, signal);
      if (synced.state === 'blocked') return 'blocked';
      if (synced.state === 'ready') view = synced.view;
      batch = await deps.rows.load(batchSize);
    }
    if (batch.rows.length === 0) return 'written';
    if (!isInStep(view, batch.installation) || !(await writeBatch(deps, view, batch, signal))) races += 1;
    else races = 0;
    await delay(gatherMs(batch.rows.length), undefined, signal === undefined ? {} : { signal });
  }
  throw branchBusy(maxRaces);
}

/**
 * How long the next push waits after one of so many rows (milliseconds). Many at once come in a wave whose rest is
 * being decided: a push costs nearly the same for one row and for a hundred, and takes processors from those decisions.
 */
function gatherMs(rows: number): number {
  return rows < fewRows ? 0 : Math.min(longestGatherMs, rows * 4);
}

async function syncUntilSettled<View extends BranchView>(
  deps: BranchWriterDeps<View>,
  signal?: AbortSignal,
): Promise<SyncResult<View>> {
  for (let attempt = 0; attempt < maxRaces; attempt += 1) {
    signal?.throwIfAborted();
    const synced = await syncBranch(deps, signal);
    if (synced.state !== 'again') return synced;
  }
  throw branchBusy(maxRaces);
}

/** The database knows the branch as it was seen, and may write it. */
function isInStep(view: BranchView, installation: InstallationState | null): boolean {
  return (
    installation !== null &&
    installation.id !== null &&
    installation.blockedReason === null &&
    view.installationFile !== null &&
    installation.branchHead === view.head
  );
}

/** What the pushes of one batch start from; moves on with each. */
interface Position<View> {
  view: View;
  installation: InstallationState & { id: string };
}

/** Plans all rows of a batch and writes them; the answer is false when a race was lost. */
async function writeBatch<View extends BranchView>(
  deps: BranchWriterDeps<View>,
  view: View,
  batch: Awaited<ReturnType<RowStore['load']>>,
  signal?: AbortSignal,
): Promise<boolean> {
  const { installation, now } = batch;
  if (installation === null || installation.id === null) return false;
  const { render, branch } = deps;
  const fingerprint = onceForEach(deps.fingerprint);
  const planDeps = { render, fingerprint, readText: branch.readText, blobOf: branch.blobOf };
  const writes: WritePlan[] = [];
  const fails: FailPlan[] = [];
  const settled: SettlePlan[] = [];
  for (const row of batch.rows) {
    const plan = await planRow(planDeps, { installation: installation.id, view, now }, row);
    if (plan.kind === 'write') writes.push(plan);
    else if (plan.kind === 'fail') fails.push(plan);
    else settled.push(plan);
  }
  if (fails.length > 0) await failRows(deps, fails);
  if (settled.length > 0) await settleRows(deps, settled);
  const position = { view, installation: { ...installation, id: installation.id } };
  return writes.length === 0 || writeRows(deps, position, writes, signal);
}

/** Asked once for each project while its batch is planned: all rows of it are made with the same. */
function onceForEach(fingerprint: PlanDeps['fingerprint']): PlanDeps['fingerprint'] {
  const known = new Map<string, string | null>();
  return (project, templates) => {
    const found = known.get(project);
    if (found !== undefined) return found;
    const made = fingerprint(project, templates);
    known.set(project, made);
    return made;
  };
}

async function settleRows<View extends BranchView>(deps: BranchWriterDeps<View>, plans: SettlePlan[]): Promise<void> {
  for (const { preview, rendered, events } of plans) {
    if (rendered === null || rendered.problem === null || events.length === 0) continue;
    deps.log.warn({ slug: preview.slug, reason: rendered.problem }, 'the template gives no file, the old one stays');
  }
  await deps.rows.settle(plans.map(settledRow), plans.flatMap(afterSettled));
}

function afterSettled({ preview: { phase, subject } }: SettlePlan): FollowUp[] {
  return [
    // The decision left it to the writer to have it told.
    feedbackOn(subject),
    // A failed push that became needless leaves a preview that may be well: its observation is looked at again.
    ...(phase === 'failed' ? [{ kind: 'decide', subject } as const] : []),
  ];
}

function settledRow({ preview, events, rendered }: SettlePlan): SettledRow {
  const { slug, incarnation, version } = preview;
  return { slug, incarnation, version, events, rendered };
}

async function failRows<View extends BranchView>(deps: BranchWriterDeps<View>, fails: FailPlan[]): Promise<void> {
  for (const { preview } of fails) {
    deps.log.warn({ slug: preview.slug, cause: preview.cause, reason: preview.message }, 'the file cannot be written');
  }
  await deps.rows.fail(
    fails,
    fails.map(({ preview }) => feedbackOn(preview.subject)),
  );
}

/**
 * One push for these rows. Refused, they are halved until the one that offends stands alone: that one fails with the
 * server's words, the others land. The answer is false when a race was lost.
 */
async function writeRows<View extends BranchView>(
  deps: BranchWriterDeps<View>,
  position: Position<View>,
  writes: WritePlan[],
  signal?: AbortSignal,
): Promise<boolean> {
  const { installation } = position;
  const generation = installation.generation + 1;
  const accepted = await deps.rows.begin({
    installation: installation.id,
    generation,
    branchHead: installation.branchHead,
    rows: writes.map(({ preview, events, blob, row }) => ({
      preview: { ...preview, version: row.preview.version },
      events,
      blob,
    })),
  });
  if (accepted === null) return false;
  position.installation.generation = generation;
  const names = new Set(accepted.map(({ slug, incarnation }) => `${slug}#${incarnation}`));
  const own = writes.filter(({ preview }) => names.has(`${preview.slug}#${preview.incarnation}`));
  if (own.length === 0) return true;
  const plans = own.map((plan) => commitPlan(deps, position.view, plan, generation));
  const result = await deps.branch.publish(position.view, plans, signal);
  deps.pushed?.({ outcome: result.outcome, rows: own.length });
  if (result.outcome === 'raced') return false;
  if (result.outcome === 'refused') return writeApart(deps, position, own, result.words, signal);
  if (result.head === null) throw new Error('a push left the branch without a head');
  await deps.rows.finish({
    generation,
    head: result.head,
    rows: own.map((plan, index) => finished(plan, result.commits[index] ?? null)),
    followUps: own.map(({ preview }) => feedbackOn(preview.subject)),
  });
  deps.log.info({ head: result.head, generation, rows: own.length }, 'the branch was written');
  position.view = result.view;
  position.installation.branchHead = result.head;
  // Others pushed on top meanwhile: what they did is taken in before more is written.
  return result.view.head === result.head;
}

async function writeApart<View extends BranchView>(
  deps: BranchWriterDeps<View>,
  position: Position<View>,
  refused: WritePlan[],
  words: string,
  signal?: AbortSignal,
): Promise<boolean> {
  // Their rows were saved once already, with what they were to become.
  const again = refused.map((plan) => ({
    ...plan,
    events: [],
    row: { ...plan.row, preview: { ...plan.row.preview, version: plan.row.preview.version + 1 } },
  }));
  const [only] = again;
  if (again.length === 1 && only !== undefined) {
    // Git holds what it held before: that is what the agent's observations are compared with.
    const { version, wantedRevision, url } = only.row.preview;
    await failRows(deps, [failPlan({ ...only.preview, version, wantedRevision, url }, 'push', words)]);
    return true;
  }
  const middle = Math.ceil(again.length / 2);
  for (const half of [again.slice(0, middle), again.slice(middle)]) {
    if (!(await writeRows(deps, position, half, signal))) return false;
  }
  return true;
}

function finished(plan: WritePlan, commit: string | null) {
  const { preview, row, blob, verb, renderedWith } = plan;
  const { slug, incarnation } = preview;
  const version = row.preview.version + 1;
  return { slug, incarnation, version, blob, commit, subject: commitSubject(verb, preview), renderedWith };
}

function feedbackOn(subject: string): FollowUp {
  return { kind: 'feedback', subject };
}
