import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../../src/error/app-error.js';
import { type ImageDeps, lookForImages } from '../../../src/manager/images/look-for-images.js';
import { saveDeliveries } from '../../../src/store/deliveries.js';
import { enqueueDueImages, saveImageLooks, scheduleImages, takeDueImages } from '../../../src/store/image-looks.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { createWorld, facts, policy, shopId, type World } from '../decide/decide-world.js';

const host = 'registry.example.com';
let database: TestDatabase;
let world: World;
/** What is in the registry, and what it answers instead when it cannot say. */
let images: Set<string>;
let fault: AppError | null;
let asked: string[];

beforeAll(async () => {
  database = await createTestDatabase({ max: 10 });
});

afterAll(() => database.drop());

beforeEach(async () => {
  world = createWorld(database);
  world.policies.set(shopId, policy({ gateImages: [`${host}/acme/shop:{{sha}}`] }));
  images = new Set();
  fault = null;
  asked = [];
  await world.sql(
    'truncate merge_request, wish, preview, preview_event, gate_verdict, image_look, delivery, slug cascade',
  );
  await world.sql('delete from graphile_worker._private_jobs');
});

function deps(): ImageDeps {
  return {
    takeDue: (query) => takeDueImages(database.pool, query),
    saveLooks: (looks) => saveImageLooks(database.pool, looks),
    scheduleNext: (registry) => scheduleImages(database.pool, registry),
    async hasImage(input) {
      const image = `${input.host}/${input.repository}:${input.tag}`;
      asked.push(image);
      if (fault !== null) throw fault;
      return images.has(image);
    },
    log: pino({ level: 'silent' }),
  };
}

const look = () => lookForImages(deps(), { registry: host, signal: new AbortController().signal });
const imageOf = (iid: number) => `${host}/acme/shop:${facts(iid).sha}`;
const looks = () => world.sql('select sha, looks, failed, detail, due_at from image_look order by sha');
const clearJobs = () => world.sql('delete from graphile_worker._private_jobs');
/** As if its time had come. */
const becomeDue = () => world.sql("update image_look set due_at = now() - interval '1 s'");

async function open(iid: number): Promise<void> {
  world.mergeRequests.set(iid, facts(iid));
  await world.hint(iid);
}

async function next(iid: number) {
  const [row] = await world.sql('select next from preview_member where iid = $1', [iid]);
  return row?.next as Record<string, unknown> | null;
}

test('a sha waits until its image is there, and is deployed once it is', async () => {
  await open(42);
  expect(await world.row(42)).toMatchObject({ phase: 'waiting', waiting_for: 'image' });
  expect(await next(42)).toMatchObject({ detail: `The image ${imageOf(42)} is not there yet.`, stuck: false });
  expect(await world.jobs()).toContain(`images:${host}`);
  await clearJobs();

  await look();
  expect(asked).toEqual([imageOf(42)]);
  // Nothing else is told now: nobody is decided about.
  expect(await world.jobs()).toEqual([`images:${host}@later`]);
  await look();
  expect(asked).toHaveLength(1);

  images.add(imageOf(42));
  await becomeDue();
  await look();
  expect(await world.jobs()).toContain(`decide:mr:${shopId}:42`);
  expect(await world.sql('select project_id, sha, gate from gate_verdict')).toEqual([
    { project_id: shopId, sha: facts(42).sha, gate: `image ${imageOf(42)}` },
  ]);
  expect(await looks()).toEqual([]);
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ phase: 'deploying', needs_commit: true });
});

test('a verdict is of one sha: the image of another one opens nothing', async () => {
  await open(42);
  images.add(imageOf(42));
  await look();
  await world.decide(42);
  const pushed = facts(42, { sha: 'c'.repeat(40), lastPushAt: Date.now() + 1_000 });
  world.mergeRequests.set(42, pushed);
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ phase: 'deploying' });
  expect(await next(42)).toMatchObject({ sha: pushed.sha, waitingFor: 'image' });
  await look();
  expect(await world.sql('select sha from gate_verdict')).toEqual([{ sha: facts(42).sha }]);
  expect(asked.at(-1)).toBe(`${host}/acme/shop:${pushed.sha}`);
});

test('two merge requests of one sha ask once, and both are decided', async () => {
  const sha = 'd'.repeat(40);
  for (const iid of [1, 2]) {
    world.mergeRequests.set(iid, facts(iid, { sha }));
    await world.hint(iid);
  }
  await clearJobs();
  images.add(`${host}/acme/shop:${sha}`);
  await look();
  expect(asked).toHaveLength(1);
  expect(await world.jobs()).toEqual([`decide:mr:${shopId}:1`, `decide:mr:${shopId}:2`]);
});

test('a registry that cannot say is asked once a run, however many wait for it', async () => {
  const iids = Array.from({ length: 30 }, (_, index) => index + 1);
  world.limits.projects.set('shop', 100);
  for (const iid of iids) await open(iid);
  fault = new AppError({
    code: 'registry-unavailable',
    disposition: 'retry',
    publicMessage: 'The registry does not answer.',
    data: { retryAfterMs: 90_000 },
  });
  await look();
  expect(asked.length).toBeLessThanOrEqual(4);
  const waiting = await looks();
  expect(waiting).toHaveLength(30);
  for (const each of waiting) {
    expect(each).toMatchObject({ failed: false, detail: 'The registry does not answer.' });
    // Not before it wants to be asked again.
    expect(Number(each.due_at) - Date.now()).toBeGreaterThan(60_000);
  }
});

test('what a person has to mend is told, once, and looked at rarely', async () => {
  await open(42);
  await clearJobs();
  fault = new AppError({ code: 'registry-refused', disposition: 'stall', publicMessage: 'It does not let us in.' });
  await look();
  expect(await world.jobs()).toContain(`decide:mr:${shopId}:42`);
  await world.decide(42);
  expect(await next(42)).toMatchObject({ waitingFor: 'image', detail: 'It does not let us in.', stuck: true });
  const [waiting] = await looks();
  expect(Number(waiting?.due_at) - Date.now()).toBeGreaterThan(30_000);
  await clearJobs();
  await becomeDue();
  await look();
  expect(await world.jobs()).toEqual([`images:${host}@later`]);
  // The fault is over: the note says so again.
  fault = null;
  await becomeDue();
  await look();
  expect(await world.jobs()).toContain(`decide:mr:${shopId}:42`);
});

test.each(['pipeline', 'job'] as const)('an event of a %s has its image looked for at once', async (event) => {
  await open(42);
  await look();
  await becomeDue();
  await look();
  expect((await looks())[0]).toMatchObject({ looks: 2 });
  await clearJobs();
  const sha = facts(42).sha ?? '';
  const hint = { event, projectId: shopId, status: 'success' } as const;
  const save = (given: { iid: number | null; sha: string }) =>
    saveDeliveries(database.pool, {
      deliveries: [{ key: null, facts: { ...hint, ...given } }],
      readback: { task: 'readback', key: 'readback', payload: {} },
    });
  await save({ iid: null, sha: 'e'.repeat(40) });
  expect(await world.jobs()).toEqual([]);
  // The commit of a merged-results pipeline is in no branch: its merge request tells.
  for (const given of [
    { iid: null, sha },
    { iid: 42, sha: 'e'.repeat(40) },
  ]) {
    await world.sql("update image_look set due_at = now() + interval '1 minute', looks = 5");
    await clearJobs();
    await save(given);
    expect(await world.jobs()).toEqual([`decide:mr:${shopId}:42`, `images:${host}`]);
    expect((await looks())[0]).toMatchObject({ looks: 0 });
  }
  images.add(imageOf(42));
  await look();
  expect(await world.jobs()).toContain(`decide:mr:${shopId}:42`);
});

test('what nobody waits for any more is forgotten', async () => {
  await open(42);
  world.mergeRequests.set(42, facts(42, { state: 'closed', endedAt: Date.now() }));
  await world.hint(42);
  await look();
  expect(asked).toEqual([]);
  expect(await looks()).toEqual([]);
});

test('a job that was lost is made up for', async () => {
  await open(42);
  await clearJobs();
  await becomeDue();
  await enqueueDueImages(database.pool);
  expect(await world.jobs()).toEqual([`images:${host}`]);
  // What one run has taken is not the next one's, until it is known to be lost.
  await takeDueImages(database.pool, { registry: host, limit: 10 });
  await look();
  expect(asked).toEqual([]);
});

test('no image is looked for while the pipeline stands in the way, and none without an approval', async () => {
  world.policies.set(
    shopId,
    policy({ gateImages: [`${host}/acme/shop:{{sha}}`], gatePipeline: 'success', gateApproval: 'member' }),
  );
  await open(42);
  expect(await world.row(42)).toMatchObject({ waiting_for: 'approval' });
  const sha = facts(42).sha ?? '';
  const approve = (of: string) =>
    world.sql(
      `insert into wish (subject, kind, source, at, by_name, note_id, detail)
       values ($1, 'approve', 'command', now(), 'ada', $2, $3)`,
      [`mr:${shopId}:42`, Number.parseInt(of.slice(0, 6), 16), JSON.stringify({ sha: of })],
    );
  await approve('f'.repeat(40));
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ waiting_for: 'approval' });
  await approve(sha);
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ waiting_for: 'pipeline' });
  expect(await looks()).toEqual([]);
  world.gates.set(sha, { state: 'open' });
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ waiting_for: 'image' });
  expect(await looks()).toHaveLength(1);
  images.add(imageOf(42));
  await look();
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ phase: 'deploying' });
  const verdicts = await world.sql('select gate from gate_verdict where sha = $1 order by gate', [sha]);
  expect(verdicts.map(({ gate }) => gate)).toEqual(['approval', `image ${imageOf(42)}`, 'pipeline']);
});
