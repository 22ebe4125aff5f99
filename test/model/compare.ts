import { annotation } from '../../src/application/application.js';
import { hasFile } from '../../src/preview/lifecycle.js';
import type { Preview } from '../../src/preview/preview.js';
import { needsApproval } from '../preview/model/gitlab.js';
import { subjectOf } from '../preview/model/world.js';
import { type Expected, oracle } from '../preview/oracle.js';
import { mustSleep } from '../preview/sleep-oracle.js';
import { checkSettled, holds } from './invariants.js';
import type { RealWorld } from './real-world.js';

type Living = Extract<Expected, { lives: true }>;
type Act = { at: number; removed: boolean };
type FinalState = ReturnType<typeof finalState>;

/** Throws unless database and branch are what the oracle expects of GitLab's final state. */
export async function compareWithOracle(world: RealWorld): Promise<void> {
  await checkSettled(world);
  const now = await world.now();
  const rows = await world.rows();
  for (const final of world.gitlab.mergeRequests.values()) {
    const subject = subjectOf(final.iid);
    const row = rows.findLast((one) => one.subject === subject) ?? null;
    const branchActs = await actsOn(world, subject);
    const wasRemoved = branchActs.some(({ removed }) => removed) || world.backUnnoticed.has(row?.slug ?? '');
    const stoppedByGit = rows.some((one) => one.subject === subject && one.stopReason === 'git');
    holds(wasRemoved || !stoppedByGit, 'a file that a person removed is a wish to stop');
    const accepted = await acceptedComments(world, final.iid);
    const state = finalState(world, final.iid, { branchActs, accepted });
    const expected = oracle(state, world.policy, row?.createdAt ?? null, now);
    if (expected.lives === true) same(summary(world, row), living(world, row, { expected, state, now }), subject);
    else if (expected.lives === 'perhaps') checkKept(world, row, expected, subject);
    else
      same(
        ended(world, row),
        { phase: 'stopped', reason: row === null ? null : expected.reason, file: false },
        subject,
      );
  }
}

/** What people removed and put back, at PostgreSQL's time of the read-back. */
async function actsOn(world: RealWorld, subject: string): Promise<Act[]> {
  return world.branch.query<Act>(
    `select round(extract(epoch from at) * 1000)::float8 as at, kind = 'stop' as removed from wish
     where source = 'git' and subject = $1 order by at, id`,
    [subject],
  );
}

/** Comments that GitLab showed while their commit was the newest: an approval of another one is refused. */
async function acceptedComments(world: RealWorld, iid: number): Promise<Set<number>> {
  const found = await world.branch.query<{ id: number }>(
    'select distinct note_id as id from wish where note_id is not null and subject = $1',
    [subjectOf(iid)],
  );
  return new Set(found.map(({ id }) => id));
}

function finalState(
  { gitlab, policy }: RealWorld,
  iid: number,
  { branchActs, accepted }: { branchActs: Act[]; accepted: Set<number> },
) {
  const final = gitlab.mergeRequests.get(iid);
  if (final === undefined) throw new Error(`there is no merge request ${iid}`);
  /** A value that cannot be set is refused; so is an approval that was read when its commit was an older one. */
  function counts({ id, body }: { id: number; body: string }): boolean {
    if (/^\/preview (?:set|unset) /.test(body)) return Object.keys(policy.settable).length > 0;
    const [, sha] = /^\/preview approve (.+)$/.exec(body) ?? [];
    return sha === undefined || sha === final?.sha || accepted.has(id);
  }
  return {
    ...final,
    comments: gitlab.notes.filter((note) => note.iid === iid && counts(note)),
    branchActs,
    headIsGreen: policy.gatePipeline === 'none' || gitlab.pipelines.get(final.sha) === 'success',
    headIsRed: gitlab.pipelines.get(final.sha) === 'failed',
    headHasImage: gitlab.images.has(`registry.example.com/acme/shop:${final.sha}`),
    needs: { ...gitlab.needs, approval: needsApproval(gitlab, iid) },
    settable: Object.keys(policy.settable),
    greenHeads: [...(gitlab.greenHeads.get(iid) ?? [])],
  };
}

function ended(world: RealWorld, row: Preview | null) {
  const file = row !== null && world.watch.files.has(row.slug);
  return { phase: row?.phase ?? 'stopped', reason: row?.stopReason ?? null, file };
}

/** What is kept after the merge runs what it ran, until then; what is not has ended. */
function checkKept(
  world: RealWorld,
  row: Preview | null,
  { until, mayRun }: Extract<Expected, { lives: 'perhaps' }>,
  subject: string,
): void {
  if (row === null || row.phase === 'stopped') {
    same(ended(world, row), { phase: 'stopped', reason: row === null ? null : 'merged', file: false }, subject);
    return;
  }
  const [member] = row.members;
  const runs = hasFile(row.phase) && mayRun.includes(member?.wantedSha ?? '') && world.watch.files.has(row.slug);
  const is = { runs, expiresAt: row.expiresAt, pinnedBy: row.pinnedBy, next: member?.next };
  same(is, { runs: true, expiresAt: until, pinnedBy: null, next: null }, subject);
}

function summary(world: RealWorld, row: Preview | null): Record<string, unknown> {
  if (row === null) return { phase: null };
  const [member] = row.members;
  const file = world.watch.files.get(row.slug);
  const next = member?.next ?? null;
  return {
    phase: row.phase,
    waitingFor: row.waitingFor,
    wantedSha: member?.wantedSha,
    next: next === null ? null : [next.sha, next.waitingFor],
    expiresAt: row.expiresAt,
    pinnedBy: row.pinnedBy,
    stopReason: row.stopReason,
    values: row.setValues,
    redeployedAt: row.redeployedAt,
    file: fileShown(file),
  };
}

function fileShown(file: ReturnType<RealWorld['watch']['files']['get']>) {
  if (file === undefined) return null;
  const { application, incarnation } = file;
  const asleep = annotation(application, 'asleep') === 'true';
  return { sha: application.spec.source.targetRevision, asleep, incarnation };
}

function living(
  world: RealWorld,
  row: Preview | null,
  { expected, state, now }: { expected: Living; state: FinalState; now: number },
): Record<string, unknown> {
  if (row === null) return { phase: 'any' };
  const { head, headMayRun, waitsFor, mayRunInstead, expiresAt, pinned, values, redeployedAt } = expected;
  const kept = row.members[0]?.wantedSha ?? null;
  // Which older sha runs while the head waits is history; that it was allowed to is not.
  const sha = headMayRun ? head : kept !== null && mayRunInstead.includes(kept) ? kept : null;
  const asleep = sha !== null && isToSleep(world, row, { sha, state, now });
  return {
    phase: sha === null ? 'waiting' : asleep ? 'asleep' : 'ready',
    waitingFor: sha === null ? waitsFor : null,
    wantedSha: sha,
    next: headMayRun ? null : [head, waitsFor],
    expiresAt,
    pinnedBy: pinned ? 'alice' : null,
    stopReason: null,
    values,
    redeployedAt,
    file: sha === null ? null : { sha, asleep, incarnation: row.incarnation },
  };
}

/** Where only the manager knows when a sha was deployed, it may be right either way. */
function isToSleep(
  world: RealWorld,
  row: Preview,
  { sha, state, now }: { sha: string; state: FinalState; now: number },
): boolean {
  const { afterMs, awake } = world.policy.sleep;
  const [window] = awake?.windows ?? [];
  const hours = window === undefined ? null : { from: window.opens / 60, to: window.closes / 60 };
  const began = world.pushed.find(
    (one) => one.slug === row.slug && one.incarnation === row.incarnation && one.sha === sha,
  );
  if (began === undefined) throw new Error(`${row.slug} runs what was never pushed`);
  const sleeps = mustSleep({ ...state, deployed: { earliest: 0, latest: began.at } }, { afterMs, hours }, now);
  return sleeps === 'either' ? row.wantAsleep : sleeps;
}

function same(is: unknown, should: unknown, subject: string): void {
  const [a, b] = [JSON.stringify(is), JSON.stringify(should)];
  if (a !== b) throw new Error(`${subject} differs from the oracle:\n  is     ${a}\n  should ${b}`);
}
