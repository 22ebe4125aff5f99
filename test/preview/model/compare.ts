import { hasFile } from '../../../src/preview/lifecycle.js';
import type { Preview } from '../../../src/preview/preview.js';
import { type Expected, oracle } from '../oracle.js';
import { mustSleep, type SleepRules } from '../sleep-oracle.js';
import { renderFile, withoutIncarnation } from './branch.js';
import { type ModelMergeRequest, needsApproval } from './gitlab.js';
import { iidOf, newestRow, subjectOf, type World } from './world.js';

/** Throws unless every preview is what the oracle expects of GitLab's final state. */
export function compareWithOracle(world: World): void {
  for (const final of world.gitlab.mergeRequests.values()) {
    const subject = subjectOf(final.iid);
    const expected = expectedOf(world, final);
    if (expected.lives === 'perhaps') {
      checkKept(world, subject, expected);
      continue;
    }
    same(summary(world, subject), expectation(world, subject, expected), subject);
  }
}

/** Throws unless what lives, waits for its turn or has ended is what the oracle expects: a line ends nobody. */
export function compareLives(world: World): void {
  for (const final of world.gitlab.mergeRequests.values()) {
    const subject = subjectOf(final.iid);
    const row = newestRow(world, subject);
    const { lives } = expectedOf(world, final);
    same({ lives: row !== null && row.phase !== 'stopped' }, { lives }, subject);
  }
}

function expectedOf(world: World, final: ModelMergeRequest): Expected {
  const subject = subjectOf(final.iid);
  const acts = world.database.wishes.filter((wish) => wish.subject === subject && wish.source === 'git');
  return oracle(
    {
      ...final,
      comments: world.gitlab.notes.filter((note) => note.iid === final.iid),
      branchActs: acts.map((wish) => ({ at: wish.at, removed: wish.kind === 'stop' })),
      headIsGreen: world.gitlab.pipelines.get(final.sha) === 'success',
      headIsRed: world.gitlab.pipelines.get(final.sha) === 'failed',
      headHasImage: world.gitlab.images.has(`registry.example.com/acme/shop:${final.sha}`),
      needs: { ...world.gitlab.needs, approval: needsApproval(world.gitlab, final.iid) },
      settable: Object.keys(world.policy.settable),
      greenHeads: [...(world.gitlab.greenHeads.get(final.iid) ?? [])],
    },
    world.policy,
    newestRow(world, subject)?.createdAt ?? null,
    world.now,
  );
}

/** What is kept after the merge runs what it ran, until then; what is not has ended. */
function checkKept(world: World, subject: string, { until, mayRun }: Extract<Expected, { lives: 'perhaps' }>): void {
  const row = newestRow(world, subject);
  const file = row === null ? undefined : world.branch.get(row.slug);
  if (row === null || row.phase === 'stopped') {
    same({ reason: row?.stopReason ?? 'merged', file }, { reason: 'merged' }, subject);
    return;
  }
  const [member] = row.members;
  const runs = hasFile(row.phase) && mayRun.includes(member?.wantedSha ?? '') && file !== undefined;
  const { expiresAt, pinnedBy } = row;
  same(
    { runs, expiresAt, pinnedBy, next: member?.next },
    { runs: true, expiresAt: until, pinnedBy: null, next: null },
    subject,
  );
}

/** A preview that was never known and one that ended are the same but for the reason. */
function summary(world: World, subject: string): Record<string, unknown> {
  const row = newestRow(world, subject);
  const file = row === null ? undefined : world.branch.get(row.slug);
  const text = file === undefined ? null : withoutIncarnation(file.text);
  if (row === null || row.phase === 'stopped') {
    return { phase: 'stopped', reason: row?.stopReason ?? null, file: text };
  }
  const members = row.members.map(({ projectId, iid, wantedSha, deployedSha, next }) => ({
    projectId,
    iid,
    wantedSha,
    deployedSha,
    next: next === null ? null : [next.sha, next.waitingFor],
  }));
  const { phase, waitingFor, expiresAt, pinnedBy, stopReason } = row;
  return { phase, waitingFor, members, expiresAt, pinnedBy, stopReason, file: text };
}

function expectation(
  world: World,
  subject: string,
  expected: Exclude<Expected, { lives: 'perhaps' }>,
): Record<string, unknown> {
  const row = newestRow(world, subject);
  if (!expected.lives) {
    return { phase: 'stopped', reason: row === null ? null : expected.reason, file: null };
  }
  const { head, headMayRun, waitsFor, mayRunInstead, expiresAt, pinned, values, redeployedAt } = expected;
  const kept = row?.members[0]?.wantedSha ?? null;
  // Which older sha runs while the head waits is history; that it was allowed to is not.
  const sha = headMayRun ? head : kept !== null && mayRunInstead.includes(kept) ? kept : null;
  const wantAsleep = row !== null && sha !== null && isToSleep(world, row, sha);
  const text =
    row === null || sha === null
      ? null
      : withoutIncarnation(renderFile({ ...row, setValues: values, redeployedAt, wantAsleep }, sha).text);
  const next = headMayRun ? null : [head, waitsFor];
  // One that failed may sleep, too.
  const deployedSha = wantAsleep ? row.members[0]?.deployedSha : sha;
  return {
    phase: sha === null ? 'waiting' : wantAsleep ? 'asleep' : 'ready',
    waitingFor: sha === null ? waitsFor : null,
    members: [{ projectId: 7, iid: Number(subject.split(':')[2]), wantedSha: sha, deployedSha, next }],
    expiresAt,
    pinnedBy: pinned ? 'alice' : null,
    stopReason: null,
    file: text,
  };
}

/** Where only the manager knows when a sha was deployed, it may be right either way. */
function isToSleep(world: World, row: Preview, sha: string): boolean {
  const iid = iidOf(row.subject);
  const final = world.gitlab.mergeRequests.get(iid);
  const began = world.pushed.find(
    (one) => one.slug === row.slug && one.incarnation === row.incarnation && one.sha === sha,
  );
  if (final === undefined || began === undefined) {
    throw new Error(`${row.slug} runs what was never pushed`);
  }
  const { afterMs, awake } = world.policy.sleep;
  const [window] = awake?.windows ?? [];
  const hours = window === undefined ? null : { from: window.opens / 60, to: window.closes / 60 };
  const rules: SleepRules = { afterMs, hours };
  const acts = world.database.wishes.filter((wish) => wish.subject === row.subject && wish.source === 'git');
  const comments = world.gitlab.notes.filter((note) => note.iid === iid);
  const deployed = { earliest: 0, latest: began.at };
  const sleeps = mustSleep({ ...final, comments, branchActs: acts, deployed }, rules, world.now);
  return sleeps === 'either' ? row.phase === 'asleep' : sleeps;
}

function same(actual: unknown, expected: unknown, subject: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) {
    throw new Error(`${subject} differs from the oracle:\n  is     ${a}\n  should ${b}`);
  }
}
