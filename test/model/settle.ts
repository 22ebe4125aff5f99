import { saveDeliveries } from '../../src/store/deliveries.js';
import { enqueueDue } from '../../src/store/due.js';
import { askAbsent, askListed } from '../../src/store/follow-cursor.js';
import { enqueueDueImages } from '../../src/store/image-looks.js';
import { stepAgent } from '../preview/model/cluster.js';
import type { Delivery } from '../preview/model/gitlab.js';
import { deliverable, poll, storeReport } from './agent.js';
import { checkStep } from './invariants.js';
import { type RealWorld, runJob, shownFacts, takeJob } from './real-world.js';

const readback = { task: 'readback', key: 'readback:dynamic-envs', payload: {} };

/** A webhook arrives and is stored. */
export async function deliver(world: RealWorld, delivery: Delivery, key: string | null = null): Promise<void> {
  const facts = factsOfDelivery(world, delivery);
  if (facts === null) return;
  await saveDeliveries(world.branch.database.pool, { deliveries: [{ key, facts }], readback });
}

function factsOfDelivery(world: RealWorld, delivery: Delivery) {
  const { gitlab } = world;
  switch (delivery.kind) {
    case 'merge_request': {
      const { iid, updatedAt } = delivery.facts;
      return { event: 'merge_request' as const, projectId: 7, iid, updatedAt };
    }
    case 'note': {
      const note = gitlab.notes.find(({ id }) => id === delivery.id);
      return note === undefined ? null : { event: 'note' as const, projectId: 7, iid: note.iid, noteId: note.id };
    }
    case 'pipeline': {
      const sha = gitlab.mergeRequests.get(delivery.iid)?.sha ?? '';
      return { event: 'pipeline' as const, projectId: 7, iid: delivery.iid, sha, status: 'success' };
    }
    default:
      return delivery satisfies never;
  }
}

/** Everything that GitLab lists is compared with what is known. */
async function catchUp(world: RealWorld): Promise<void> {
  const { pool } = world.branch.database;
  const listed = [...world.gitlab.mergeRequests.keys()].flatMap((iid) => {
    const facts = shownFacts(world.gitlab, iid);
    if (facts === null) return [];
    const { state, sha, updatedAt } = facts;
    return [{ iid, state, sha, updatedAt, noteCount: null }];
  });
  await askListed(pool, { projectId: 7, listed });
  await askAbsent(pool, { projectId: 7, seenIids: listed.map(({ iid }) => iid) });
}

/** What the clock alone makes due. */
export async function sweep(world: RealWorld): Promise<void> {
  const { pool } = world.branch.database;
  const { project, deployTimeoutMs: timeoutMs } = world.policy;
  await enqueueDueImages(pool);
  await enqueueDue(pool, { deployTimeouts: [{ project, timeoutMs }], pauseMs: 60_000, limit: 100 });
}

/** Runs jobs, the writer and the agent until nothing changes any more; seconds pass. */
export async function settle(world: RealWorld): Promise<void> {
  for (let round = 0, before = ''; round < 40; round += 1) {
    await world.writer.look();
    await sweep(world);
    const ran = await runDue(world);
    await world.writer.write();
    await checkStep(world);
    await stepAll(world);
    await poll(world);
    // Images are looked for again, and a file that came back is left alone, for some seconds.
    await world.wait(6_000);
    const after = await fingerprint(world);
    if (after === before && ran === 0) return;
    before = after;
  }
  throw new Error('it does not settle');
}

async function runDue(world: RealWorld): Promise<number> {
  for (let ran = 0; ran < 300; ran += 1) {
    const job = await takeJob(world, 0);
    if (job === null) return ran;
    await runJob(world, job);
  }
  throw new Error('jobs make ever more jobs');
}

async function stepAll(world: RealWorld): Promise<void> {
  const { files } = world.watch;
  for (const slug of new Set([...files.keys(), ...world.agent.running.keys()])) {
    stepAgent({ now: await world.now(), branch: files, cluster: world.agent }, slug, false);
  }
  for (const report of [...deliverable(world)]) await storeReport(world, report, false);
}

async function fingerprint(world: RealWorld): Promise<string> {
  const rows = (await world.rows()).map(({ version, ...row }) => row);
  const [waiting] = await world.branch.query('select count(*) from preview where needs_commit');
  return JSON.stringify([rows, waiting, world.watch.head, [...world.agent.running]]);
}

/** The end of a history: whoever was slow answers, every webhook that was not lost arrives, a catch-up finds the rest. */
export async function finish(world: RealWorld): Promise<void> {
  world.unknownReads = 0;
  await catchUp(world);
  await settle(world);
  // Answers and webhooks that were under way all the time arrive last, when nobody asks any more.
  for (const slow of world.slow.splice(0)) {
    slow.answer(false);
    await slow.done;
  }
  for (const delivery of world.gitlab.deliveries.splice(0).reverse()) await deliver(world, delivery);
  await settle(world);
  // What has lasted long is looked at every half hour only, and what the breaker held waits for an hour.
  for (let times = 0; times < 3; times += 1) {
    await world.wait(31 * 60_000);
    await settle(world);
  }
}
