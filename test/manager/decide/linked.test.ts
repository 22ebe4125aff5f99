import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/error/app-error.js';
import type { DecideDeps } from '../../../src/manager/decide/needs.js';
import { runDecide } from '../../../src/manager/decide/run.js';
import type { GateReading, MergeRequestFacts } from '../../../src/preview/facts.js';
import type { LinkedProject } from '../../../src/preview/linked.js';
import type { Policy } from '../../../src/preview/policy.js';
import { createDecideStore } from '../../../src/store/decide-store.js';
import { saveDeliveries } from '../../../src/store/deliveries.js';
import { loadFeedbackInput, membersOfSubject } from '../../../src/store/projections-input.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { facts, policy } from './decide-world.js';

const shop = 7;
const cart = 8;
const wiki = 9;
let database: TestDatabase;
let mergeRequests: Map<string, MergeRequestFacts | null>;
let gates: Map<string, GateReading>;
let isLinked: boolean;
/** Of merge requests outside of the group. */
let ownCartPolicy: Policy;
let calls: string[];
let deps: DecideDeps;

const shopPolicy = policy({ gatePipeline: 'success' });
const cartPolicy = policy({ project: 'cart', gatePipeline: 'success' });
const missing: string[] = [];
const group = {
  missing,
  policy: policy({ project: 'store', nameTemplate: '{{group}}-{{branchSlug}}', urlTemplate: null, maxPreviews: 1_000 }),
  projects: [
    { projectId: shop, policy: shopPolicy },
    { projectId: cart, policy: cartPolicy },
  ] as LinkedProject[],
};
const named = group.projects;
const mainSha = 'f'.repeat(40);

beforeAll(async () => {
  database = await createTestDatabase({ max: 12 });
});

afterAll(() => database?.drop());

beforeEach(() => {
  mergeRequests = new Map();
  gates = new Map();
  missing.length = 0;
  group.policy = { ...group.policy, maxPreviews: 1_000 };
  isLinked = true;
  ownCartPolicy = cartPolicy;
  group.projects = named;
  calls = [];
  deps = {
    store: createDecideStore(database.pool),
    settings: {
      branch: 'dynamic-envs',
      policyFor: (projectId) => ({ [shop]: shopPolicy, [cart]: ownCartPolicy, [wiki]: policy() })[projectId] ?? null,
      slotLimits: () => ({
        total: 2_000,
        projects: new Map([
          ['shop', 20],
          ['store', group.policy.maxPreviews],
        ]),
      }),
      groupOf: (projectId) => (isLinked && projectId !== wiki ? 'store' : null),
      groupFor: (name) => (isLinked && name === 'store' ? group : null),
      suffixOf: () => 'abc123',
    },
    readBranch: () => Promise.resolve(true),
    gitlab: {
      readMergeRequest(projectId, iid) {
        calls.push(`read ${projectId}!${iid}`);
        const known = mergeRequests.get(`${projectId}!${iid}`) ?? null;
        const readStartedAt = Date.now();
        return Promise.resolve(
          known === null ? { known: false, why: '404', readStartedAt } : { known: true, facts: known, readStartedAt },
        );
      },
      readGate({ sha }) {
        calls.push(`gate ${sha.slice(0, 4)}`);
        return Promise.resolve(gates.get(sha) ?? { state: 'waiting', detail: null });
      },
      readBaseline({ project: { projectId }, branch }) {
        calls.push(`baseline ${projectId} ${branch}`);
        const fact = { projectId, sha: mainSha, gate: 'pipeline', reading: { state: 'open' } as const };
        return Promise.resolve({ baseline: { projectId, branch, head: mainSha, passed: mainSha }, gates: [fact] });
      },
    },
    wakeWriter: () => calls.push('wake'),
    log: pino({ level: 'silent' }),
  };
});

function open(
  projectId: number,
  iid: number,
  branch: string,
  change: Partial<MergeRequestFacts> = {},
): MergeRequestFacts {
  const sha = `${projectId}${iid}`.padStart(40, '0');
  const known = facts(iid, { projectId, sourceProjectId: projectId, sourceBranch: branch, sha, ...change });
  mergeRequests.set(`${projectId}!${iid}`, known);
  if (known.sha !== null) gates.set(known.sha, { state: 'open' });
  return known;
}

function decide(subject: string) {
  return runDecide(deps, { subject }, new AbortController().signal);
}

/** As a member's command does. */
async function approve(subject: string, sha: string | null) {
  await database.pool.query(
    `insert into wish (subject, kind, source, at, by_name, detail)
     values ($1, 'approve', 'command', now(), 'alice', jsonb_build_object('sha', $2::text))`,
    [subject, sha],
  );
}

/** Members that run what was pushed to a fork. */
async function forkMembers(subject: string) {
  const { rows: found } = await database.pool.query(
    `select m.project_id || '!' || m.iid as member from preview p join preview_member m using (slug, incarnation)
     where p.subject = $1 and m.fork`,
    [subject],
  );
  return found.map(({ member }) => member);
}

/** As a webhook does. */
/** A webhook of a moment before: one of the very millisecond of the read is a tie, and asks again. */
async function hint(projectId: number, iid: number) {
  await database.pool.query(
    `insert into merge_request (project_id, iid, asked_at) values ($1, $2, clock_timestamp() - interval '2 ms')
     on conflict (project_id, iid) do update set asked_at = excluded.asked_at`,
    [projectId, iid],
  );
  return decide(`mr:${projectId}:${iid}`);
}

async function rows(subjectLike: string) {
  const { rows: found } = await database.pool.query(
    `select p.subject, p.slug, p.incarnation, p.project, p.phase, p.stop_reason,
       (select json_agg(m.project_id || '!' || coalesce(m.iid::text, m.branch) || ' ' || coalesce(left(ltrim(m.wanted_sha, '0'), 4), '-')
         order by m.ordinal) from preview_member m where m.slug = p.slug and m.incarnation = p.incarnation) as members
     from preview p where subject like $1 order by slug, incarnation`,
    [subjectLike],
  );
  return found;
}

async function jobs(): Promise<string[]> {
  const { rows: found } = await database.pool.query(
    'select key from graphile_worker.jobs where key is not null order by key',
  );
  return found.map((row) => String(row.key));
}

describe('merge requests of a group', () => {
  it('share one preview, whichever is heard of', async () => {
    open(shop, 1, 'one');
    await hint(shop, 1);
    expect(await rows('group:store:one')).toMatchObject([
      { slug: 'store-one', project: 'store', phase: 'deploying', members: ['7!1 71', '8!main ffff'] },
    ]);
    open(cart, 2, 'one');
    await hint(cart, 2);
    expect(await rows('group:store:one')).toMatchObject([{ phase: 'deploying', members: ['7!1 71', '8!2 82'] }]);
    expect(await rows('mr:%')).toEqual([]);
    expect(await jobs()).toEqual(expect.arrayContaining(['feedback:7:1', 'feedback:8:2']));
    expect(await membersOfSubject(database.pool, 'group:store:one')).toHaveLength(2);
  });

  it('that are read anew and say the same change nothing', async () => {
    open(shop, 20, 'same');
    await hint(shop, 20);
    const before = await database.pool.query(
      'select version, to_json(p)::text as row, (select json_agg(m) from preview_member m where m.slug = p.slug) as members from preview p where subject = $1',
      ['group:store:same'],
    );
    await hint(shop, 20);
    await decide('group:store:same');
    const after = await database.pool.query(
      'select version, to_json(p)::text as row, (select json_agg(m) from preview_member m where m.slug = p.slug) as members from preview p where subject = $1',
      ['group:store:same'],
    );
    expect(after.rows).toEqual(before.rows);
  });

  it('are told apart by the exact branch; the second of two names of one slug gets a suffix', async () => {
    open(shop, 3, 'a/b');
    open(cart, 4, 'a-b');
    await hint(shop, 3);
    await hint(cart, 4);
    expect((await rows('group:store:a_b')).map(({ slug, members }) => [slug, members])).toEqual([
      ['store-a-b', ['7!3 73', '8!main ffff']],
      ['store-a-b-abc123', ['7!main ffff', '8!4 84']],
    ]);
  });

  it('opened at the same moment make one preview, 20 rounds', async () => {
    for (let round = 0; round < 20; round += 1) {
      const branch = `race-${round}`;
      const iid = 1_000 + round;
      open(shop, iid, branch);
      open(cart, iid, branch);
      await Promise.all([hint(shop, iid), hint(cart, iid), hint(shop, iid), hint(cart, iid)]);
      // Whoever came last has seen both; what was foreseen without the other asks for another run.
      for (let again = 0; again < 3; again += 1) await decide(`group:store:${branch}`);
      const found = await rows(`group:store:${branch}`);
      expect(found).toMatchObject([{ phase: 'deploying', incarnation: 1 }]);
      expect(found[0]?.members.map((member: string) => member.split(' ')[0])).toEqual([`7!${iid}`, `8!${iid}`]);
    }
  });

  it('count for the limit of their group, and wait in its line', async () => {
    const used = await database.pool.query(
      "select from preview where project = 'store' and phase not in ('waiting', 'stopped')",
    );
    group.policy = { ...group.policy, maxPreviews: (used.rowCount ?? 0) + 1 };
    open(shop, 25, 'first');
    await hint(shop, 25);
    open(cart, 26, 'second');
    open(cart, 27, 'third');
    await hint(cart, 26);
    await hint(cart, 27);
    expect(await rows('group:store:first')).toMatchObject([{ phase: 'deploying' }]);
    for (const [iid, place] of [
      [26, 1],
      [27, 2],
    ] as const) {
      const limits = deps.settings.slotLimits();
      const told = await loadFeedbackInput(database.pool, { projectId: cart, iid, group: 'store', limits });
      expect(told?.view).toMatchObject({
        preview: { phase: 'waiting', waitingFor: 'slot' },
        line: { place, length: 2 },
      });
    }
    open(shop, 25, 'first', { state: 'closed', endedAt: Date.now() });
    await hint(shop, 25);
    expect(await rows('group:store:first')).toMatchObject([{ phase: 'stopped' }]);
    await decide('group:store:third');
    expect(await rows('group:store:third')).toMatchObject([{ phase: 'waiting' }]);
    await decide('group:store:second');
    expect(await rows('group:store:second')).toMatchObject([{ phase: 'deploying' }]);
  });

  it('end it with the last of them; each that left is told', async () => {
    const first = open(shop, 5, 'ends');
    const second = open(cart, 6, 'ends');
    await hint(shop, 5);
    await hint(cart, 6);
    await database.pool.query('delete from graphile_worker._private_jobs');
    mergeRequests.set('8!6', { ...second, state: 'closed', endedAt: Date.now() });
    await hint(cart, 6);
    expect(await rows('group:store:ends')).toMatchObject([{ phase: 'deploying', members: ['7!5 75', '8!main ffff'] }]);
    expect(await jobs()).toEqual(expect.arrayContaining(['feedback:7:5', 'feedback:8:6']));
    mergeRequests.set('7!5', { ...first, state: 'merged', endedAt: Date.now() });
    await hint(shop, 5);
    expect(await rows('group:store:ends')).toMatchObject([{ phase: 'stopped', stop_reason: 'merged' }]);
    const told = await loadFeedbackInput(database.pool, { projectId: cart, iid: 6, group: 'store' });
    expect(told?.view).toMatchObject({ preview: { slug: 'store-ends' }, linked: { key: { projectId: cart, iid: 6 } } });
  });

  it('obey commands in the comments of each', async () => {
    open(shop, 7, 'obeys');
    open(cart, 8, 'obeys');
    await hint(shop, 7);
    await hint(cart, 8);
    await database.pool.query(
      `insert into wish (subject, kind, source, at, by_name) values ('mr:8:8', 'stop', 'command', now(), 'alice')`,
    );
    await decide('mr:8:8');
    expect(await rows('group:store:obeys')).toMatchObject([{ phase: 'stopped', stop_reason: 'command' }]);
  });

  it('of a fork have a preview of their own, if any, and one of another project has its own', async () => {
    open(shop, 9, 'forked', { sourceProjectId: 99 });
    await hint(shop, 9);
    expect(await rows('group:store:forked')).toEqual([]);
    open(wiki, 10, 'forked');
    await hint(wiki, 10);
    expect(await rows('%')).toEqual(expect.arrayContaining([expect.objectContaining({ subject: 'mr:9:10' })]));
  });

  it('of a fork join where the group names their project, once a commit of theirs was approved', async () => {
    const followsForks = { ...cartPolicy, follow: { ...cartPolicy.follow, forks: 'approved' as const } };
    group.projects = named.map((each) =>
      each.projectId === cart ? { ...each, policy: followsForks, forks: true } : each,
    );
    ownCartPolicy = followsForks;
    open(shop, 30, 'trusted');
    const strange = open(cart, 31, 'trusted', { sourceProjectId: 99 });
    await hint(shop, 30);
    await hint(cart, 31);
    // Nobody waits for a stranger: it has a preview of its own, which waits for its approval.
    expect(await rows('group:store:trusted')).toMatchObject([
      { phase: 'deploying', members: ['7!30 730', '8!main ffff'] },
    ]);
    expect(await rows('mr:8:31')).toMatchObject([{ phase: 'waiting' }]);
    await approve('mr:8:31', strange.sha);
    await decide('mr:8:31');
    expect(await rows('mr:8:31')).toMatchObject([{ phase: 'stopped', stop_reason: 'unfollowed' }]);
    expect(await rows('group:store:trusted')).toMatchObject([
      { phase: 'deploying', members: ['7!30 730', '8!31 831'] },
    ]);
    expect(await forkMembers('group:store:trusted')).toEqual(['8!31']);
    const told = { projectId: cart, iid: 31, group: 'store' };
    expect((await loadFeedbackInput(database.pool, { ...told, forks: 'approved' }))?.view.linked?.rows).toHaveLength(2);
    expect((await loadFeedbackInput(database.pool, told))?.view.linked).toBeNull();
    // A later push needs its own approval, whoever of the group is asked about.
    const pushed = 'abcd'.padEnd(40, '0');
    open(cart, 31, 'trusted', { sourceProjectId: 99, sha: pushed });
    await hint(cart, 31);
    await hint(shop, 30);
    expect(await rows('group:store:trusted')).toMatchObject([{ members: ['7!30 730', '8!31 831'] }]);
    await approve('mr:8:31', pushed);
    await decide('group:store:trusted');
    expect(await rows('group:store:trusted')).toMatchObject([{ members: ['7!30 730', '8!31 abcd'] }]);
    group.projects = named;
    await decide('group:store:trusted');
    expect(await rows('group:store:trusted')).toMatchObject([{ members: ['7!30 730', '8!main ffff'] }]);
    expect(await forkMembers('group:store:trusted')).toEqual([]);
  });

  it('of an approved fork stay out where the group does not name their project', async () => {
    const followsForks = { ...cartPolicy, follow: { ...cartPolicy.follow, forks: 'approved' as const } };
    ownCartPolicy = followsForks;
    open(shop, 32, 'apart');
    const strange = open(cart, 33, 'apart', { sourceProjectId: 99 });
    await hint(shop, 32);
    await approve('mr:8:33', strange.sha);
    await hint(cart, 33);
    await decide('group:store:apart');
    expect(await rows('group:store:apart')).toMatchObject([{ members: ['7!32 732', '8!main ffff'] }]);
    expect(await rows('mr:8:33')).toMatchObject([{ phase: 'deploying' }]);
  });

  it('lose their own previews when their project joins a group, and get them back when it leaves', async () => {
    isLinked = false;
    const known = open(shop, 11, 'joins');
    await hint(shop, 11);
    expect(await rows('mr:7:11')).toMatchObject([{ phase: 'deploying' }]);
    await database.pool.query(
      `insert into branch_write (slug, incarnation, blob, generation) values ('shop-11', 1, 'b', 1)`,
    );
    isLinked = true;
    await decide('mr:7:11');
    expect(await rows('mr:7:11')).toMatchObject([{ phase: 'stopping', stop_reason: 'unfollowed' }]);
    expect(await rows('group:store:joins')).toMatchObject([
      { phase: 'deploying', members: ['7!11 711', '8!main ffff'] },
    ]);
    isLinked = false;
    await database.pool.query(
      `insert into branch_write (slug, incarnation, blob, generation) values ('store-joins', 1, 'b', 1)`,
    );
    await decide('group:store:joins');
    expect(await rows('group:store:joins')).toMatchObject([{ phase: 'stopping', stop_reason: 'unfollowed' }]);
    expect(known.state).toBe('opened');
  });

  it('are asked about once each in a run, and their target branch only when it is needed', async () => {
    open(shop, 12, 'calls');
    await hint(shop, 12);
    expect(calls).toEqual(['read 7!12', 'gate 0000', 'baseline 8 main', 'wake']);
    calls.length = 0;
    await hint(shop, 12);
    expect(calls).toEqual(['read 7!12']);
  });

  it('that ended long ago are read, though others of the branch ended since, and asked about no more', async () => {
    for (let iid = 100; iid < 125; iid += 1) {
      const ended = { state: 'merged', endedAt: Date.now(), updatedAt: Date.now() + iid } as const;
      open(cart, iid, 'busy', ended);
      await hint(cart, iid);
    }
    calls.length = 0;
    await hint(cart, 100);
    expect(calls).toEqual(['read 8!100']);
    const { rows: asked } = await database.pool.query(
      'select iid from merge_request where project_id = 8 and asked_at is not null',
    );
    expect(asked).toEqual([]);
    expect(await rows('group:store:busy')).toEqual([]);
  });

  it('get the newest commit of a target branch once its pipeline, of which a webhook tells, has passed', async () => {
    const head = 'e'.repeat(40);
    const known = open(shop, 14, 'awaits');
    deps.gitlab.readBaseline = ({ project: { projectId } }) => {
      const fact = { projectId, gate: 'pipeline' } as const;
      return Promise.resolve({
        baseline: { projectId, branch: 'main', head, passed: mainSha },
        gates: [
          { ...fact, sha: head, reading: { state: 'waiting', detail: null } },
          { ...fact, sha: mainSha, reading: { state: 'open' } },
        ],
      });
    };
    await hint(shop, 14);
    expect(await rows('group:store:awaits')).toMatchObject([
      { phase: 'deploying', members: ['7!14 714', '8!main ffff'] },
    ]);
    await database.pool.query('delete from graphile_worker._private_jobs');
    const pipeline = { event: 'pipeline', projectId: cart, iid: null, sha: head, status: 'success' } as const;
    const readback = { task: 'readback', key: 'readback:x', payload: {} };
    await saveDeliveries(database.pool, { deliveries: [{ key: null, facts: pipeline }], readback });
    expect(await jobs()).toEqual(['decide:group:store:awaits']);
    gates.set(head, { state: 'open' });
    await decide('group:store:awaits');
    expect(await rows('group:store:awaits')).toMatchObject([{ members: ['7!14 714', '8!main eeee'] }]);
    expect(known.state).toBe('opened');
  });

  it('wait while GitLab has never shown a project of their group, which is looked at again', async () => {
    missing.push('wiki');
    open(shop, 15, 'partial');
    await hint(shop, 15);
    expect(await rows('group:store:partial')).toMatchObject([{ phase: 'waiting' }]);
    expect(calls).toEqual(['read 7!15', 'gate 0000']);
    const { rows: found } = await database.pool.query(
      `select waiting_for from preview where subject = 'group:store:partial'`,
    );
    expect(found).toEqual([{ waiting_for: 'project' }]);
    expect(await jobs()).toEqual(expect.arrayContaining(['feedback:7:15']));
    missing.length = 0;
    await decide('group:store:partial');
    expect(await rows('group:store:partial')).toMatchObject([
      { phase: 'deploying', members: ['7!15 715', '8!main ffff'] },
    ]);
  });

  it('are looked at again while GitLab shows no target branch, also when nothing else is asked', async () => {
    const first = open(shop, 16, 'mute');
    open(cart, 17, 'mute');
    await hint(shop, 16);
    await hint(cart, 17);
    const { gitlab } = deps;
    const away = new AppError({ code: 'gitlab-unavailable', disposition: 'retry', publicMessage: 'GitLab is away.' });
    deps.gitlab = { ...gitlab, readBaseline: () => Promise.reject(away) };
    const { sha } = first;
    mergeRequests.set('7!16', { ...first, state: 'closed', endedAt: Date.now() });
    await hint(shop, 16);
    await database.pool.query('delete from graphile_worker._private_jobs');
    await decide('group:store:mute');
    expect(await jobs()).toEqual(['decide:group:store:mute@later']);
    expect(await rows('group:store:mute')).toMatchObject([{ members: [`7!16 ${sha?.slice(-3)}`, '8!17 817'] }]);
    deps.gitlab = gitlab;
    await decide('group:store:mute');
    expect(await rows('group:store:mute')).toMatchObject([{ members: ['7!main ffff', '8!17 817'] }]);
  });

  it('are approved each in its own project, though they have the same commit', async () => {
    const same = 'd'.repeat(40);
    const { projects } = group;
    group.projects = projects.map((each) => ({ ...each, policy: { ...each.policy, gateApproval: 'member' as const } }));
    try {
      open(shop, 18, 'mirror', { sha: same });
      open(cart, 19, 'mirror', { sha: same });
      await hint(shop, 18);
      await hint(cart, 19);
      const approve = (iid: number, projectId: number) =>
        database.pool.query(
          `insert into wish (subject, kind, source, at, by_name, detail)
           values ($1, 'approve', 'command', now(), 'alice', $2)`,
          [`mr:${projectId}:${iid}`, JSON.stringify({ sha: same })],
        );
      await approve(18, shop);
      await decide('group:store:mirror');
      expect(await rows('group:store:mirror')).toMatchObject([{ phase: 'waiting' }]);
      await approve(19, cart);
      await decide('group:store:mirror');
      expect(await rows('group:store:mirror')).toMatchObject([{ phase: 'deploying' }]);
    } finally {
      group.projects = projects;
    }
  });

  it('change nothing while GitLab cannot say, and are asked about again', async () => {
    open(shop, 13, 'silent');
    await hint(shop, 13);
    await database.pool.query('delete from graphile_worker._private_jobs');
    mergeRequests.set('7!13', null);
    await hint(shop, 13);
    expect(await rows('group:store:silent')).toMatchObject([{ phase: 'deploying' }]);
    expect(await jobs()).toEqual(expect.arrayContaining(['decide:group:store:silent@later', 'feedback:7:13']));
  });
});
