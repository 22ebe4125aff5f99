import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError, isAppError } from '../../src/error/app-error.js';
import type { DecideDeps, DecideSettings } from '../../src/manager/decide/needs.js';
import { runDecide } from '../../src/manager/decide/run.js';
import { linkedSubjectOf } from '../../src/manager/serve-render-linked.js';
import type { MergeRequestFacts } from '../../src/preview/facts.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { createWorld, facts, policy, shopId } from './decide/decide-world.js';

const cartId = 8;
const passed = 'f'.repeat(40);
const head = 'e'.repeat(40);
const { signal } = new AbortController();
let database: TestDatabase;
let missing: string[];
let gateApproval: 'none' | 'member';
let readBaseline: NonNullable<DecideDeps['gitlab']['readBaseline']>;
let asked: string[];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database?.drop());
beforeEach(() => {
  missing = [];
  gateApproval = 'none';
  asked = [];
  readBaseline = ({ project: { projectId }, branch }) => {
    asked.push(`${projectId} ${branch}`);
    return Promise.resolve({ baseline: { projectId, branch, head, passed }, gates: [] });
  };
});

const settings: DecideSettings = {
  policyFor: () => policy(),
  slotLimits: () => ({ total: 100, projects: new Map([['store', 100]]) }),
  groupOf: () => 'store',
  groupFor: () => ({
    policy: policy({ project: 'store', nameTemplate: '{{group}}-{{branchSlug}}', urlTemplate: null }),
    projects: [
      { projectId: shopId, policy: policy({ gateApproval }) },
      { projectId: cartId, policy: policy({ project: 'cart' }) },
    ],
    missing,
  }),
  suffixOf: () => 'abc123',
  branch: 'dynamic-envs',
};

function render(of: MergeRequestFacts) {
  return linkedSubjectOf({ pool: database.pool, settings, readBaseline, signal }, { group: 'store', facts: of });
}

async function codeOf(of: MergeRequestFacts): Promise<string> {
  try {
    await render(of);
    return 'rendered';
  } catch (error) {
    if (!isAppError(error)) throw error;
    return `${error.code} ${error.data.status}: ${error.publicMessage}`;
  }
}

/** What a webhook and the decision after it make of a merge request. */
async function decide(of: MergeRequestFacts): Promise<void> {
  const world = createWorld(database);
  world.mergeRequests.set(of.iid, of);
  await world.sql(
    `insert into merge_request (project_id, iid, asked_at) values ($1, $2, clock_timestamp() - interval '2 ms')
     on conflict (project_id, iid) do update set asked_at = excluded.asked_at`,
    [of.projectId, of.iid],
  );
  const { gitlab } = world.deps;
  await runDecide(
    { ...world.deps, gitlab: { ...gitlab, readBaseline }, settings },
    { subject: `mr:${of.projectId}:${of.iid}` },
    signal,
  );
}

describe('what would be committed for a merge request of a group', () => {
  it('that has no preview has the newest sha of each, and baselines as they would be taken', async () => {
    const own = facts(1, { sourceBranch: 'fresh', targetBranch: 'release/2' });
    const { preview, facts: lead, phase } = await render(own);
    expect(phase).toBeNull();
    expect(preview).toMatchObject({
      slug: 'store-fresh',
      incarnation: 1,
      subject: 'group:store:fresh',
      project: 'store',
    });
    expect(preview.members).toEqual([
      { projectId: shopId, iid: 1, wantedSha: own.sha, deployedSha: null, next: null },
      { projectId: cartId, iid: null, wantedSha: passed, deployedSha: null, next: null, branch: 'release/2' },
    ]);
    expect(lead).toEqual(own);
    expect(asked).toEqual([`${cartId} release/2`]);
    const { rows } = await database.pool.query(`select from preview where slug = 'store-fresh'`);
    expect(rows).toEqual([]);
  });

  it('whose baseline never passed is shown with the newest commit, which it would wait for', async () => {
    readBaseline = ({ project: { projectId }, branch }) =>
      Promise.resolve({ baseline: { projectId, branch, head, passed: null }, gates: [] });
    expect((await render(facts(2, { sourceBranch: 'red' }))).preview.members[1]?.wantedSha).toBe(head);
  });

  it('joins what others of the branch have, and is as it is deployed where it is', async () => {
    const first = facts(3, { sourceBranch: 'both' });
    await decide(first);
    asked = [];
    const deployed = await render(first);
    expect(deployed).toMatchObject({ phase: 'deploying', preview: { slug: 'store-both', incarnation: 1 } });
    expect(deployed.preview.members.map(({ wantedSha }) => wantedSha)).toEqual([first.sha, head]);
    expect(asked).toEqual([]);
  });

  it('that waits is shown with what it waits for', async () => {
    gateApproval = 'member';
    const own = facts(4, { sourceBranch: 'waits' });
    await decide(own);
    const { preview, phase } = await render(own);
    expect(phase).toBe('waiting');
    expect(preview).toMatchObject({ slug: 'store-waits', incarnation: 1 });
    expect(preview.members.map(({ wantedSha }) => wantedSha)).toEqual([own.sha, passed]);
  });

  it('is refused in words where GitLab cannot tell what takes part, or nothing would begin', async () => {
    const own = facts(5, { sourceBranch: 'refused' });
    const away = new AppError({
      code: 'gitlab-unavailable',
      disposition: 'retry',
      publicMessage: 'GitLab does not answer.',
    });
    readBaseline = () => Promise.reject(away);
    expect(await codeOf(own)).toBe(
      'baseline-unread 503: The target branch of cart was not read, so that nobody knows which commit of it takes part. GitLab does not answer. Then try again.',
    );
    missing = ['wiki'];
    expect(await codeOf(own)).toMatch(/^group-incomplete 409: GitLab has never shown wiki of the group store/);
    missing = [];
    expect(await codeOf({ ...own, state: 'merged', endedAt: own.updatedAt })).toMatch(/^merge-request-ended 404/);
    expect(await codeOf({ ...own, sha: null })).toMatch(/^no-commit 404/);
  });
});
