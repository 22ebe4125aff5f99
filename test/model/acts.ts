import { isAppError } from '../../src/error/app-error.js';
import { stepAgent } from '../preview/model/cluster.js';
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
} from '../preview/model/gitlab.js';
import { deliverable, storeReport } from './agent.js';
import { beginSlowly, type RealWorld, runJob, takeJob } from './real-world.js';
import { deliver, settle, sweep } from './settle.js';

/** Two numbers that choose to whom something happens and how. */
export interface Choice {
  a: number;
  b: number;
}

export interface Setting {
  mergeRequests: number;
  branchOf: (iid: number) => string;
}

type Act = (world: RealWorld, choice: Choice, setting: Setting) => unknown;

const bodies = [
  '/preview stop',
  '/preview start',
  '/preview extend 1d',
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

const hourMs = 3_600_000;
const waits = [400, 30_000, hourMs / 3, 5 * hourMs, 16 * hourMs, 30 * hourMs];

/** Everything that may happen. GitLab's people act at the time of the one clock. */
export const acts = {
  open: at((world, iid, now, setting) => open(world.gitlab, iid, setting.branchOf(iid), now)),
  push: at((world, iid, now) => push(world.gitlab, iid, now)),
  close: at((world, iid, now) => end(world.gitlab, iid, 'closed', now)),
  merge: at((world, iid, now) => end(world.gitlab, iid, 'merged', now)),
  reopen: at((world, iid, now) => reopen(world.gitlab, iid, now)),
  label: at((world, iid, now) => {
    world.labelled.add(`${iid} label`);
    toggleLabel(world.gitlab, iid, now);
  }),
  draft: at((world, iid, now) => {
    world.labelled.add(`${iid} unfollowed`);
    toggleDraft(world.gitlab, iid, now);
  }),
  approve: at((world, iid, now) => approve(world.gitlab, iid, now)),
  image: at((world, iid) => pushImage(world.gitlab, iid)),
  pipeline: at((world, iid, _, __, { b }) => finishPipeline(world.gitlab, iid, b % 4 !== 0)),
  comment: at((world, iid, now, _, { b }) => comment(world.gitlab, iid, bodies[b % bodies.length] ?? 'hi', now)),
  /** A good while in which nothing goes wrong. */
  calm: async (world) => {
    for (const delivery of world.gitlab.deliveries.splice(0)) await deliver(world, delivery);
    await settle(world);
  },
  wait: (world, { b }) => world.wait(waits[b % waits.length] ?? 0),
  deliver: async (world, { a }) => {
    for (const delivery of take(world.gitlab.deliveries, a)) await deliver(world, delivery);
  },
  /** The same delivery comes again later, by its key or, of an older GitLab, without one. */
  deliverTwice: async (world, { a, b }) => {
    const delivery = pick(world.gitlab.deliveries, a);
    if (delivery !== undefined) await deliver(world, delivery, b % 2 === 0 ? `key-${a}` : null);
  },
  lose: (world, { a }) => take(world.gitlab.deliveries, a),
  unknown: (world) => {
    world.unknownReads += 1;
  },
  job: async (world, { a }) => {
    const job = await takeJob(world, a);
    if (job !== null) await runJob(world, job);
  },
  /** The manager dies in the middle of a decision, or right after it. */
  dyingJob: async (world, { a, b }) => {
    const job = await takeJob(world, a);
    if (job === null) return;
    world.dies = b % 2 === 0 ? 'before' : 'after';
    await runJob(world, job);
    world.dies = null;
  },
  slowJob: async (world, { a }) => {
    const job = await takeJob(world, a);
    if (job !== null) await beginSlowly(world, job);
  },
  answer: async (world, { a, b }) => {
    for (const slow of take(world.slow, a)) {
      slow.answer(b % 2 === 0);
      await slow.done;
    }
  },
  crash: async (world) => {
    const slow = world.slow.splice(0);
    for (const { die } of slow) die();
    await world.restart();
    await Promise.all(slow.map(({ done }) => done));
  },
  commit: (world) => world.writer.write(),
  readBack: (world) => world.writer.look(),
  /** Jobs are done; of the push that follows the answer never arrives, or not even the push, and the manager dies. */
  dyingCommit: async (world, { b }) => {
    for (let job = await takeJob(world, b); job !== null; job = await takeJob(world, b)) await runJob(world, job);
    world.proxy.faults.push((['lose-answer', 'lose-request', 'bad-gateway'] as const)[b % 3] ?? 'lose-answer');
    try {
      await world.writer.write();
    } catch (error) {
      if (!isAppError(error)) throw error;
    }
    world.proxy.faults.length = 0;
    if (b % 2 === 0) await world.restart();
  },
  agent: async (world, { a, b }) => {
    const { files } = world.watch;
    const slug = pick([...new Set([...files.keys(), ...world.agent.running.keys()])], a);
    if (slug === undefined) return;
    stepAgent({ now: await world.now(), branch: files, cluster: world.agent }, slug, b % 7 === 0);
  },
  report: async (world, { a, b }) => {
    const reports = deliverable(world);
    const report = reports[a % Math.max(1, reports.length)];
    if (report !== undefined) await storeReport(world, report, b % 4 === 0);
  },
  sweep: (world) => sweep(world),
  removeFile: async (world, { a }) => {
    const slug = pick([...world.watch.files.keys()], a);
    if (slug === undefined) return;
    const { person } = world;
    await person.pull('dynamic-envs');
    const text = await person.read(`apps/${slug}.yml`);
    world.removedByPerson.set(slug, { text, noticed: await removalsNoticed(world, slug) });
    await person.git('rm', '--quiet', `apps/${slug}.yml`);
    await person.push('dynamic-envs', 'Remove it');
  },
  restoreFile: async (world, { a }) => {
    const slug = pick([...world.removedByPerson.keys()], a);
    const removed = slug === undefined ? undefined : world.removedByPerson.get(slug);
    if (slug === undefined || removed === undefined || world.watch.files.has(slug)) return;
    world.removedByPerson.delete(slug);
    if ((await removalsNoticed(world, slug)) === removed.noticed) world.backUnnoticed.add(slug);
    await world.person.pull('dynamic-envs');
    await world.person.write(`apps/${slug}.yml`, removed.text);
    await world.person.push('dynamic-envs', 'Put it back');
  },
  editFile: async (world, { a }) => {
    const slug = pick([...world.watch.files.keys()], a);
    if (slug === undefined) return;
    const { person } = world;
    await person.pull('dynamic-envs');
    const text = await person.read(`apps/${slug}.yml`);
    world.edits += 1;
    await person.write(`apps/${slug}.yml`, text.replace('  labels:\n', `  labels:\n    edit-${world.edits}: made\n`));
    await person.push('dynamic-envs', 'Change it');
  },
} satisfies Record<string, Act>;

export type ActName = keyof typeof acts;

/** So that histories get somewhere: what is not named here happens least. */
export const weights: Partial<Record<ActName, number>> = {
  open: 5,
  push: 4,
  calm: 14,
  pipeline: 10,
  image: 5,
  approve: 5,
  comment: 7,
  wait: 6,
  reopen: 5,
  close: 2,
  merge: 2,
  deliver: 5,
  job: 5,
  slowJob: 2,
  answer: 2,
  commit: 3,
  dyingCommit: 5,
  agent: 4,
  report: 3,
  removeFile: 3,
  restoreFile: 3,
  editFile: 3,
};

export async function perform(name: ActName, world: RealWorld, choice: Choice, setting: Setting): Promise<void> {
  const act: Act = acts[name];
  await act(world, choice, setting);
}

/** How many removals of its file the manager has taken in. */
async function removalsNoticed(world: RealWorld, slug: string): Promise<number> {
  const [found] = await world.branch.query<{ count: number }>(
    `select count(*)::integer from wish where source = 'git' and kind = 'stop'
     and subject in (select subject from preview where slug = $1)`,
    [slug],
  );
  return found?.count ?? 0;
}

/** Something that happens to one merge request at GitLab, now. */
function at(happen: (world: RealWorld, iid: number, now: number, setting: Setting, choice: Choice) => void): Act {
  return async (world, choice, setting) => {
    happen(world, 1 + (choice.a % setting.mergeRequests), await world.now(), setting, choice);
  };
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}

function take<T>(list: T[], index: number): T[] {
  return list.length === 0 ? [] : list.splice(index % list.length, 1);
}
