import { type Logger, pino } from 'pino';
import { isAppError } from '../../src/error/app-error.js';
import type { BranchWriter } from '../../src/manager/commit/branch-writer.js';
import type { DecideDeps } from '../../src/manager/decide/needs.js';
import type { MergeRequestReading } from '../../src/preview/facts.js';
import type { Policy } from '../../src/preview/policy.js';
import type { Preview } from '../../src/preview/preview.js';
import { createDecideStore } from '../../src/store/decide-store.js';
import { type MemberRow, type PreviewRow, previewFromRow } from '../../src/store/preview-rows.js';
import { enqueue } from '../../src/store/queue.js';
import type { AgentWorld } from '../preview/model/cluster.js';
import { createGitLab, factsOf, type ModelGitLab } from '../preview/model/gitlab.js';
import { type BranchWorld, createBranchWorld } from '../support/git-branch-writer.js';
import type { Person } from '../support/git-client.js';
import { type GitProxy, startGitProxy } from '../support/git-proxy.js';
import { type BranchWatch, watchBranch } from './branch-watch.js';
import { createTasks, type Tasks } from './tasks.js';
import { advanceClock, installTestClock, readClock } from './test-clock.js';

/** A run of the job `decide` that asked GitLab and has not heard yet. */
interface SlowJob {
  job: DueJob;
  /** The answer arrives: what GitLab said when it was asked, or what it says now. */
  answer: (late: boolean) => void;
  /** The manager died. */
  die: () => void;
  done: Promise<unknown>;
}

export interface DueJob {
  task: string;
  key: string;
  payload: Record<string, string | number>;
}

/** The manager's own parts on a real database and a real Git server, GitLab and the cluster in memory, one clock. */
export interface RealWorld {
  policy: Policy;
  gitlab: ModelGitLab;
  branch: BranchWorld;
  watch: BranchWatch;
  proxy: GitProxy;
  person: Person;
  writer: BranchWriter;
  tasks: Tasks;
  /** Reads that GitLab will not be able to answer. */
  unknownReads: number;
  /** Set while a job is begun whose read is to hang. */
  hang: ((ask: Omit<SlowJob, 'job' | 'done'>) => void) | null;
  /** The next decision dies with its manager: before its transaction, or when that was committed. */
  dies: 'before' | 'after' | null;
  slow: SlowJob[];
  agent: AgentWorld['cluster'];
  /** Reports in the order in which they were made. */
  reported: number;
  /** What the file held, and how many removals had been taken in by then. */
  removedByPerson: Map<string, { text: string; noticed: number }>;
  /** Files that a person removed and put back before the branch was read: only the agent may have seen it. */
  backUnnoticed: Set<string>;
  edits: number;
  /** First commit of each sha of each incarnation. */
  pushed: { slug: string; incarnation: number; sha: string; at: number }[];
  /** `slug incarnation end` of all warnings, with their times. */
  warned: Map<string, number>;
  /** Merge requests that a filter refused at some time, such as `1 label`. */
  labelled: Set<string>;
  log: Logger;
  now(): Promise<number>;
  wait(ms: number): Promise<void>;
  /** A manager that starts: a writer that knows nothing, and a fresh copy of the repository. */
  restart(): Promise<void>;
  rows(): Promise<Preview[]>;
  close(): Promise<void>;
}

const died = new Error('the manager died');

function isDeath(error: unknown): boolean {
  return error === died;
}

export async function createRealWorld(policy: Policy): Promise<RealWorld> {
  const branch = await createBranchWorld();
  await installTestClock(branch.database.url);
  const proxy = await startGitProxy(branch.server.url);
  const open = () => branch.writer({ url: `${proxy.url}/platform/envs.git` });
  const writer = await open();
  // The branch begins with its first write.
  await writer.look();
  const { pool } = branch.database;
  const gates = {
    image: policy.gateImages.length > 0,
    approval: policy.gateApproval === 'member',
    forkApproval: policy.follow.forks === 'approved',
  };
  const world: Omit<RealWorld, 'tasks'> = {
    policy,
    gitlab: createGitLab(gates),
    branch,
    watch: await watchBranch(branch.git, 'dynamic-envs'),
    proxy,
    person: await branch.person(),
    writer,
    unknownReads: 0,
    hang: null,
    dies: null,
    slow: [],
    agent: { running: new Map(), tornDown: new Map(), everHealthy: new Set(), reports: [], last: new Map() },
    reported: 0,
    removedByPerson: new Map(),
    backUnnoticed: new Set(),
    edits: 0,
    pushed: [],
    warned: new Map(),
    labelled: new Set(),
    log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
    now: () => readClock(pool),
    wait: (ms) => advanceClock(pool, ms),
    restart: async () => {
      world.writer = await open();
      for (const { die } of world.slow) die();
    },
    rows: () => loadRows(branch),
    close: async () => {
      await proxy.close();
      await branch.close();
    },
  };
  const real: RealWorld = Object.assign(world, { tasks: createTasks(pool, world, decideDeps(branch, world)) });
  return real;
}

/** All incarnations, oldest first. */
async function loadRows(branch: BranchWorld): Promise<Preview[]> {
  const rows = await branch.query<{ preview: PreviewRow; members: MemberRow[] | null }>(`
    select row_to_json(p) as preview, (select json_agg(m order by m.ordinal) from preview_member m
      where m.slug = p.slug and m.incarnation = p.incarnation) as members
    from preview p order by p.created_at, p.incarnation`);
  return rows.map(({ preview, members }) => previewFromRow(preview, members ?? []));
}

function decideDeps(branch: BranchWorld, world: Omit<RealWorld, 'tasks'>): DecideDeps {
  const { pool } = branch.database;
  const store = createDecideStore(pool);
  const { policy, gitlab } = world;
  return {
    store: {
      read: store.read,
      async transact(options, work) {
        const dies = world.dies;
        world.dies = null;
        if (dies === 'before') throw died;
        const result = await store.transact(options, work);
        if (dies === 'after') throw died;
        return result;
      },
    },
    settings: {
      branch: 'dynamic-envs',
      policyFor: (projectId) => (projectId === 7 ? policy : null),
      slotLimits: () => ({ total: 200, projects: new Map([[policy.project, policy.maxPreviews]]) }),
    },
    gitlab: {
      readMergeRequest: (_, iid) => readMergeRequest(world, iid),
      readGate: async ({ sha }) => {
        const status = gitlab.pipelines.get(sha);
        if (status === 'success') return { state: 'open' };
        return status === 'failed' ? { state: 'failed', detail: 'test' } : { state: 'waiting', detail: null };
      },
    },
    readBranch: async (signal) => (await world.writer.look(signal)).blockedReason === null,
    wakeWriter: () => undefined,
    log: world.log,
  };
}

/** A comment moves the time of its merge request. */
export function shownFacts(gitlab: ModelGitLab, iid: number) {
  const facts = factsOf(gitlab, iid);
  const notes = gitlab.notes.filter((note) => note.iid === iid).map(({ at }) => at);
  return facts === null ? null : { ...facts, updatedAt: Math.max(facts.updatedAt, ...notes) };
}

async function readMergeRequest(world: Omit<RealWorld, 'tasks'>, iid: number): Promise<MergeRequestReading> {
  function answer(): MergeRequestReading {
    const facts = shownFacts(world.gitlab, iid);
    return facts === null
      ? { known: false, why: '404', readStartedAt: 0, absent: true }
      : { known: true, facts, readStartedAt: 0 };
  }
  if (world.unknownReads > 0) {
    world.unknownReads -= 1;
    return { known: false, why: 'time-out', readStartedAt: 0 };
  }
  const { hang } = world;
  if (hang === null) return answer();
  world.hang = null;
  const early = answer();
  return new Promise((resolve, reject) => {
    hang({ answer: (late) => resolve(late ? answer() : early), die: () => reject(died) });
  });
}

/** Runs a job as the queue does: one that fails is tried again later, one whose manager died at once. */
export async function runJob(world: RealWorld, job: DueJob): Promise<void> {
  try {
    await world.tasks[job.task]?.(job.payload, new AbortController().signal);
  } catch (error) {
    await tryAgain(world, job, error);
  }
}

async function tryAgain(world: RealWorld, job: DueJob, error: unknown): Promise<void> {
  if (!isDeath(error) && !isAppError(error)) throw error;
  const runAt = isDeath(error) ? {} : { runAt: (await world.now()) + 20_000 };
  await enqueue(world.branch.database.pool, [{ ...job, key: job.key.replace(/@later$/, ''), ...runAt }]);
}

/** Takes the job at this place among those whose time has come; null: there is none. */
export async function takeJob(world: RealWorld, at: number): Promise<DueJob | null> {
  const due = await world.branch.query<{ id: number }>(
    'select id from graphile_worker.jobs where run_at <= now() order by priority, run_at, id',
  );
  if (due.length === 0) return null;
  const [job] = await world.branch.query<DueJob>(
    `delete from graphile_worker._private_jobs j using graphile_worker._private_tasks t
     where j.task_id = t.id and j.id = $1 returning t.identifier as task, j.key, j.payload`,
    [due[at % due.length]?.id],
  );
  return job ?? null;
}

/** Begins a decision whose question to GitLab hangs; one that asks nothing simply ends. */
export async function beginSlowly(world: RealWorld, job: DueJob): Promise<void> {
  let begun: Omit<SlowJob, 'job' | 'done'> | null = null;
  const asked = new Promise<void>((resolve) => {
    world.hang = (ask) => {
      begun = ask;
      resolve();
    };
  });
  const done = runJob(world, job);
  await Promise.race([asked, done]);
  world.hang = null;
  if (begun !== null) {
    const slow: SlowJob = { ...(begun as Omit<SlowJob, 'job' | 'done'>), job, done };
    world.slow.push(slow);
  }
}
