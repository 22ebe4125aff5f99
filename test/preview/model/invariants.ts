import type { Decision } from '../../../src/preview/decision.js';
import { hasFile, holdsSlot } from '../../../src/preview/lifecycle.js';
import { iidOfSha, needsApproval } from './gitlab.js';
import { iidOf, keyOf, type World } from './world.js';

/** What must hold at every moment, whatever is lost, doubled, late or dead. Throws the sentence that does not. */
export function checkInvariants(world: World): void {
  const living = world.database.rows.filter((row) => row.phase !== 'stopped');
  holds(new Set(living.map((row) => row.subject)).size === living.length, 'one living incarnation a subject');
  holds(new Set(living.map((row) => row.slug)).size === living.length, 'one living preview a slug');
  holds(new Set(world.database.rows.map(keyOf)).size === world.database.rows.length, 'an incarnation is used once');
  const slots = living.filter((row) => holdsSlot(row.phase)).length;
  holds(slots <= Math.min(world.policy.maxPreviews, world.maxTotal), 'never more slots than the limit');
  for (const { sha, slug } of world.pushed.slice(-3)) {
    holds(world.gitlab.pipelines.get(sha) === 'success', 'never in Git before its gate');
    const { needs, images, notes } = world.gitlab;
    holds(!needs.image || images.has(`registry.example.com/acme/shop:${sha}`), `never in Git before its image`);
    const isApproved = notes.some((note) => note.body === `/preview approve ${sha}`);
    holds(!needsApproval(world.gitlab, iidOfSha(sha)) || isApproved, `never in Git before its approval (${slug})`);
  }
  for (const row of world.database.rows) {
    if (holdsSlot(row.phase)) {
      world.placed.add(keyOf(row));
    }
    holds(row.phase !== 'waiting' || !world.placed.has(keyOf(row)), 'nobody is evicted');
    const deployed = `${row.slug} ${row.incarnation} ${row.deployedRevision}`;
    holds(row.phase !== 'ready' || row.deployedRevision === row.wantedRevision, 'ready is of the wanted revision');
    holds(row.deployedRevision === null || world.cluster.everHealthy.has(deployed), 'deployed means reported healthy');
    const releases = world.gitlab.notes.filter(
      (note) => note.iid === iidOf(row.subject) && note.body === '/preview unpin',
    );
    const latest = Math.max(
      (world.born.get(keyOf(row)) ?? 0) + world.policy.maxMs,
      ...releases.map((note) => note.at + world.policy.ttlMs),
      (world.gitlab.mergeRequests.get(iidOf(row.subject))?.endedAt ?? 0) + world.policy.keepAfterMergeMs,
    );
    holds(row.phase === 'stopped' || row.pinnedBy !== null || row.expiresAt <= latest, 'no end past the longest life');
    if (row.stopReason === 'closed' || row.stopReason === 'merged') {
      const ended = `${iidOf(row.subject)} ${row.stopReason}`;
      holds(world.gitlab.everEnded.has(ended), 'only an end that happened ends a preview');
    }
  }
}

/** What must hold when the queue is empty and everything was written. */
export function checkSettled(world: World): void {
  for (const [slug, { incarnation }] of world.branch) {
    const row = world.database.rows.find((one) => one.slug === slug && one.incarnation === incarnation);
    holds(row !== undefined && hasFile(row.phase), 'no file for a preview that ended');
  }
}

/** A preview expires only on what GitLab said after the decision began: a push that no webhook told is found first. */
export function checkExpiry(world: World, decision: Decision, beganAt: number): void {
  const row = decision.ended ?? decision.preview;
  const wasJustStopped = row?.stoppedAt === world.now && row.stopReason === 'expired';
  if (!decision.changed || row === null || !wasJustStopped) {
    return;
  }
  const pushedAt = world.gitlab.mergeRequests.get(iidOf(row.subject))?.lastPushAt ?? 0;
  const isOld = row.createdAt + world.policy.maxMs <= world.now;
  const isIdle = pushedAt + world.policy.ttlMs <= world.now;
  holds(pushedAt >= beganAt || isIdle || isOld, 'nothing expires that was pushed to');
}

/** Of each end of life a preview is warned at most once, in time, and only on what GitLab said in this very run. */
export function checkWarning(world: World, { preview: row, changed }: Decision, beganAt: number): void {
  if (!changed || row === null || row.warnedAt !== world.now) {
    return;
  }
  const term = `${keyOf(row)} ${row.warnedFor}`;
  holds(!world.warned.has(term), 'a warning at most once a term');
  world.warned.add(term);
  holds(row.warnedFor === row.expiresAt && row.pinnedBy === null, 'a warning is of an end that comes');
  const isInTime = world.now < row.expiresAt && world.now >= row.expiresAt - world.policy.warnMs;
  holds(isInTime, 'a warning comes in time');
  const pushedAt = world.gitlab.mergeRequests.get(iidOf(row.subject))?.lastPushAt ?? 0;
  const leastEnd = Math.min(pushedAt + world.policy.ttlMs, row.createdAt + world.policy.maxMs);
  holds(pushedAt >= beganAt || row.expiresAt >= leastEnd, 'nobody is warned of what was pushed to');
}

function holds(condition: boolean, sentence: string): void {
  if (!condition) {
    throw new Error(`does not hold: ${sentence}`);
  }
}
