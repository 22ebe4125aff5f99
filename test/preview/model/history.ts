import fc from 'fast-check';
import { commit, removeFile, restoreFile } from './branch.js';
import { deliverReport, poll, stepAgent } from './cluster.js';
import {
  approve,
  comment,
  end,
  finishPipeline,
  open,
  push,
  pushImage,
  reopen,
  toggleDraft,
  toggleLabel,
} from './gitlab.js';
import { checkInvariants, checkSettled } from './invariants.js';
import { answerLate, beginJob, catchUp, finishJob, lookForImages, receive, sweep } from './manager.js';
import type { World } from './world.js';

/** One step of a history: what happens, and two numbers that choose to whom and how. */
export interface Step {
  act: keyof typeof acts;
  a: number;
  b: number;
}

export interface HistoryOptions {
  mergeRequests: number;
  branchOf: (iid: number) => string;
}

type Act = (world: World, step: Step, options: HistoryOptions) => void;

const bodies = [
  '/preview stop',
  '/preview start',
  '/preview extend 1d',
  '/preview extend 2d',
  '/preview status',
  '/preview redeploy',
  '/preview set replicas=2',
  '/preview set replicas=3',
  '/preview unset replicas',
  '/preview pin',
  '/preview unpin',
  '/preview sleep',
  '/preview wake',
  'hi',
];
const waits = [150, 400, 30_000, 1_300_000, 18_000_000, 110_000_000];

/** Everything that may happen; the weights make histories that get somewhere. */
const acts = {
  open: (world, step, options) => {
    const iid = iidOf(step, options);
    open(world.gitlab, iid, options.branchOf(iid), world.now);
  },
  push: (world, step, options) => push(world.gitlab, iidOf(step, options), world.now),
  /** A good while in which nothing goes wrong. */
  calm: (world) => {
    for (const delivery of world.gitlab.deliveries.splice(0)) {
      receive(world, delivery);
    }
    settle(world);
  },
  close: (world, step, options) => end(world.gitlab, iidOf(step, options), 'closed', world.now),
  merge: (world, step, options) => end(world.gitlab, iidOf(step, options), 'merged', world.now),
  reopen: (world, step, options) => reopen(world.gitlab, iidOf(step, options), world.now),
  label: (world, step, options) => toggleLabel(world.gitlab, iidOf(step, options), world.now),
  draft: (world, step, options) => toggleDraft(world.gitlab, iidOf(step, options), world.now),
  pipeline: (world, step, options) => finishPipeline(world.gitlab, iidOf(step, options), step.b % 4 !== 0),
  image: (world, step, options) => pushImage(world.gitlab, iidOf(step, options)),
  approve: (world, step, options) => approve(world.gitlab, iidOf(step, options), world.now),
  look: (world) => lookForImages(world),
  comment: (world, step, options) =>
    comment(world.gitlab, iidOf(step, options), bodies[step.b % bodies.length] ?? 'hi', world.now),
  wait: (world, step) => {
    world.now += waits[step.b % waits.length] ?? 0;
  },
  deliver: (world, step) => {
    const [delivery] = take(world.gitlab.deliveries, step.a);
    if (delivery !== undefined) {
      receive(world, delivery);
    }
  },
  deliverTwice: (world, step) => {
    const delivery = pick(world.gitlab.deliveries, step.a);
    if (delivery !== undefined) {
      receive(world, delivery);
    }
  },
  lose: (world, step) => {
    take(world.gitlab.deliveries, step.a);
  },
  begin: (world, step) => {
    const subject = pick([...world.database.queue], step.a);
    if (subject !== undefined) {
      beginJob(world, subject, step.b % 6 === 0);
    }
  },
  answer: (world, step) => {
    const job = pick(world.jobs, step.a);
    if (job !== undefined) {
      answerLate(world, job);
    }
  },
  finish: (world, step) => {
    const [job] = take(world.jobs, step.a);
    if (job !== undefined) {
      finishJob(world, job);
    }
  },
  job: (world, step) => {
    const subject = pick([...world.database.queue], step.a);
    if (subject !== undefined) {
      runJob(world, subject);
    }
  },
  crash: (world, step) => {
    // The queue gives a job whose worker died to another one.
    const [job] = take(world.jobs, step.a);
    if (job !== undefined) {
      world.database.queue.add(job.subject);
    }
  },
  commit: (world, step) => {
    const crashes = ['before-push', 'after-push'] as const;
    commit(world, crashes[step.b % 6] ?? 'none');
  },
  agent: (world, step) => {
    const slug = pick([...new Set([...world.branch.keys(), ...world.cluster.running.keys()])], step.a);
    if (slug !== undefined) {
      stepAgent(world, slug, step.b % 7 === 0);
    }
  },
  report: (world) => deliverReport(world),
  sweep: (world) => sweep(world),
  removeFile: (world, step) => {
    const slug = pick([...world.branch.keys()], step.a);
    if (slug !== undefined) {
      removeFile(world, slug);
    }
  },
  restoreFile: (world, step) => {
    const slug = pick([...world.removedByPerson.keys()], step.a);
    if (slug !== undefined) {
      restoreFile(world, slug);
    }
  },
} satisfies Record<string, Act>;

const weights: Partial<Record<keyof typeof acts, number>> = {
  open: 5,
  push: 3,
  calm: 5,
  pipeline: 8,
  image: 6,
  approve: 5,
  look: 2,
  comment: 4,
  wait: 5,
  reopen: 3,
  deliver: 6,
  begin: 5,
  finish: 4,
  job: 6,
  commit: 4,
  agent: 6,
  report: 4,
  removeFile: 2,
  restoreFile: 2,
};

/** Histories of up to so many steps; fast-check shortens those that fail. */
export function histories(maxLength: number): fc.Arbitrary<Step[]> {
  const names = Object.keys(acts) as (keyof typeof acts)[];
  const act = fc.oneof(...names.map((name) => ({ arbitrary: fc.constant(name), weight: weights[name] ?? 1 })));
  const step = fc.record({ act, a: fc.nat(30), b: fc.nat(30) });
  return fc.array(step, { minLength: Math.floor(maxLength / 4), maxLength, size: 'max' });
}

/** Plays a history, the invariants held to after each step; then the one catch-up, and all that follows from it. */
export function play(world: World, steps: Step[], options: HistoryOptions): void {
  for (const step of steps) {
    const act: Act = acts[step.act];
    act(world, step, options);
    world.now += 1;
    checkInvariants(world);
  }
  catchUp(world);
  settle(world);
  // Answers that were under way all the time arrive last, when nobody asks any more.
  for (const job of world.jobs.splice(0)) {
    finishJob(world, job);
  }
  for (const delivery of world.gitlab.deliveries.splice(0).reverse()) {
    receive(world, delivery);
  }
  settle(world);
  checkSettled(world);
}

/** Runs jobs, commits and the agent until nothing changes any more. */
export function settle(world: World): void {
  for (let round = 0; round < 60; round += 1) {
    const before = fingerprint(world);
    sweep(world);
    lookForImages(world);
    for (const subject of [...world.database.queue]) {
      runJob(world, subject);
      world.now += 1;
    }
    commit(world, 'none');
    for (const slug of new Set([...world.branch.keys(), ...world.cluster.running.keys()])) {
      stepAgent(world, slug, false);
    }
    while (world.cluster.reports.length > 0) {
      deliverReport(world);
    }
    poll(world);
    checkInvariants(world);
    if (fingerprint(world) === before && world.database.queue.size === 0) {
      return;
    }
  }
  throw new Error('it does not settle');
}

function runJob(world: World, subject: string): void {
  beginJob(world, subject, false);
  const job = world.jobs.pop();
  if (job !== undefined) {
    finishJob(world, job);
  }
}

function fingerprint(world: World): string {
  const { rows, needsCommit, wishes } = world.database;
  const shown = rows.map(({ version, ...row }) => row);
  return JSON.stringify([shown, [...needsCommit], wishes.length, [...world.branch.keys()], [...world.cluster.running]]);
}

function iidOf(step: Step, options: HistoryOptions): number {
  return 1 + (step.a % options.mergeRequests);
}

function pick<T>(list: T[], at: number): T | undefined {
  return list[at % Math.max(1, list.length)];
}

function take<T>(list: T[], at: number): T[] {
  return list.length === 0 ? [] : list.splice(at % list.length, 1);
}
