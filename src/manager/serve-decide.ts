import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { GitLab } from '../gitlab/client.js';
import { readTargetBranch } from '../gitlab/target-branch.js';
import { forgetTold } from '../store/ask-anew.js';
import { createDecideStore } from '../store/decide-store.js';
import { refreshNote } from '../store/note-look.js';
import { enqueue, type Task } from '../store/queue.js';
import { asOne } from './as-one.js';
import type { BranchWriter } from './commit/branch-writer.js';
import { commitJob } from './decide/jobs.js';
import type { DecideDeps, DecideSettings } from './decide/needs.js';
import { readBaseline } from './decide/read-baseline.js';
import { runDecide } from './decide/run.js';
import type { ImageDeps } from './images/look-for-images.js';
import type { IntakePressure } from './intake-pressure.js';
import type { ProjectsInForce } from './projects-in-force.js';
import type { GitLabCalls } from './serve-gitlab.js';

export interface DecideTaskDeps {
  pool: pg.Pool;
  gitlab: GitLab;
  calls: Pick<GitLabCalls, 'decide'>;
  hasImage: ImageDeps['hasImage'];
  /** The projects of the configuration that is in force now. */
  projects: () => ProjectsInForce;
  /** Name of the branch; part of the key of its job. */
  branch: string;
  /** GitLab waits for the answers to many webhooks. */
  intake: Pick<IntakePressure, 'isHigh' | 'quiet'>;
  writer: Pick<BranchWriter, 'look'>;
  log: Logger;
}

/** Of a word to the branch writer that follows another. */
const wakePauseMs = 30;

/** The task `decide`: see `runDecide`. */
export function decideTask(deps: DecideTaskDeps): Task {
  const wakeWriter = asOne(
    () => enqueue(deps.pool, [commitJob(deps.branch)]),
    wakePauseMs,
    (error) => deps.log.warn({ err: error }, 'the branch writer was not told; it looks by itself'),
  );
  const decideDeps = {
    store: {
      ...createDecideStore(deps.pool, deps.intake),
      forgetTold: (input: Parameters<typeof forgetTold>[1]) => forgetTold(deps.pool, input),
    },
    gitlab: { ...deps.calls.decide, readBaseline: baselineReader(deps) },
    settings: decideSettings(deps),
    async readBranch(signal: AbortSignal) {
      const { blockedReason, pending } = await deps.writer.look(signal);
      if (pending) wakeWriter();
      return blockedReason === null;
    },
    wakeWriter,
    log: deps.log,
  };
  return async (payload, signal) => {
    const outcome = await runDecide(decideDeps, payload, signal);
    const phase = outcome?.decision.preview?.phase ?? null;
    if (outcome === null || (phase !== null && phase !== 'stopped')) return;
    // What stands against a preview may be something else now, and no row says so.
    const key = mergeRequestOf(payload.subject);
    if (key !== null) await refreshNote(deps.pool, key);
  };
}

/** What decisions are made by, as it is in force at each moment. */
export function decideSettings({ projects, branch }: Pick<DecideTaskDeps, 'projects' | 'branch'>): DecideSettings {
  return {
    groupOf: (projectId) => projects().groupOf(projectId)?.config.name ?? null,
    groupFor: (name) =>
      projects()
        .groups()
        .find(({ config }) => config.name === name) ?? null,
    suffixOf: subjectSuffix,
    policyFor: (projectId) => projects().policyFor(projectId),
    slotLimits: () => projects().slotLimits(),
    branch,
  };
}

function mergeRequestOf(subject: unknown): { projectId: number; iid: number } | null {
  const [, projectId, iid] = (typeof subject === 'string' ? /^mr:(\d+):(\d+)$/.exec(subject) : null) ?? [];
  return projectId === undefined || iid === undefined ? null : { projectId: Number(projectId), iid: Number(iid) };
}

/** Six digits that tell a subject from every other. */
function subjectSuffix(subject: string): string {
  return createHash('sha256').update(subject).digest('hex').slice(0, 6);
}

export function baselineReader({
  gitlab,
  calls,
  hasImage,
}: Pick<DecideTaskDeps, 'gitlab' | 'calls' | 'hasImage'>): NonNullable<DecideDeps['gitlab']['readBaseline']> {
  const baselineDeps = {
    readTargetBranch: (question: { projectId: number; branch: string; most: number }, signal: AbortSignal) =>
      readTargetBranch(gitlab, { ...question, signal }),
    readGate: calls.decide.readGate,
    hasImage,
  };
  return (question, signal) => readBaseline(baselineDeps, question, signal);
}
