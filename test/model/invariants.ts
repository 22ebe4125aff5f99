import { hasFile, holdsSlot } from '../../src/preview/lifecycle.js';
import type { Preview } from '../../src/preview/preview.js';
import { iidOfSha, needsApproval } from '../preview/model/gitlab.js';
import { iidOf, keyOf } from '../preview/model/world.js';
import type { RealWorld } from './real-world.js';

/** What must hold after every step, whatever was lost, doubled, late or dead. Throws the sentence that does not. */
export async function checkStep(world: RealWorld): Promise<void> {
  await checkCommits(world);
  const rows = await world.rows();
  checkIncarnations(world, rows);
  for (const row of rows) checkRow(world, row);
  await checkHistory(world);
}

/** Whatever Mayfly committed was let pass by every gate, for this very sha. */
async function checkCommits(world: RealWorld): Promise<void> {
  const { gitlab, policy } = world;
  for (const { slug, incarnation, sha, byMayfly } of await world.watch.look()) {
    if (!byMayfly) continue;
    const isKnown = world.pushed.some((one) => one.slug === slug && one.incarnation === incarnation && one.sha === sha);
    if (!isKnown) world.pushed.push({ slug, incarnation, sha, at: await world.now() });
    holds(policy.gatePipeline === 'none' || gitlab.pipelines.get(sha) === 'success', 'never in Git before its gate');
    const hasImage = gitlab.images.has(`registry.example.com/acme/shop:${sha}`);
    holds(!gitlab.needs.image || hasImage, 'never in Git before its image');
    const isApproved = gitlab.notes.some((note) => note.body === `/preview approve ${sha}`);
    holds(!needsApproval(gitlab, iidOfSha(sha)) || isApproved, 'never in Git before its approval');
  }
}

function checkIncarnations(world: RealWorld, rows: readonly Preview[]): void {
  const living = rows.filter((row) => row.phase !== 'stopped');
  holds(new Set(living.map((row) => row.subject)).size === living.length, 'one living incarnation a subject');
  holds(new Set(living.map((row) => row.slug)).size === living.length, 'one living preview a slug');
  const slots = living.filter((row) => holdsSlot(row.phase)).length;
  holds(slots <= world.policy.maxPreviews, 'never more slots than the limit');
}

function checkRow(world: RealWorld, row: Preview): void {
  const { gitlab, policy } = world;
  const iid = iidOf(row.subject);
  holds(row.phase !== 'ready' || row.deployedRevision === row.wantedRevision, 'ready is of the wanted revision');
  const deployed = `${row.slug} ${row.incarnation} ${row.deployedRevision}`;
  holds(row.deployedRevision === null || world.agent.everHealthy.has(deployed), 'deployed means reported healthy');
  const releases = gitlab.notes.filter((note) => note.iid === iid && note.body === '/preview unpin');
  const latest = Math.max(
    row.createdAt + policy.maxMs,
    ...releases.map((note) => note.at + policy.ttlMs),
    (gitlab.mergeRequests.get(iid)?.endedAt ?? 0) + policy.keepAfterMergeMs,
  );
  holds(row.phase === 'stopped' || row.pinnedBy !== null || row.expiresAt <= latest, 'no end past the longest life');
  checkReason(world, row, iid);
  if (row.warnedAt !== null && row.warnedFor !== null) {
    const term = `${keyOf(row)} ${row.warnedFor}`;
    const known = world.warned.get(term) ?? row.warnedAt;
    holds(known === row.warnedAt, 'a warning at most once a term');
    world.warned.set(term, known);
    holds(row.warnedAt >= row.warnedFor - policy.warnMs && row.warnedAt < row.warnedFor, 'a warning comes in time');
  }
}

/** Nothing ends but for what happened. */
function checkReason(world: RealWorld, row: Preview, iid: number): void {
  const { everEnded, notes } = world.gitlab;
  const { stopReason } = row;
  if (stopReason === 'closed' || stopReason === 'merged') {
    holds(everEnded.has(`${iid} ${stopReason}`), 'only an end that happened ends a preview');
  }
  if (stopReason === 'label' || stopReason === 'unfollowed') {
    holds(world.labelled.has(`${iid} ${stopReason}`), 'a filter stops only what it refuses');
  }
  if (stopReason === 'command') {
    const wasSaid = notes.some((note) => note.iid === iid && note.body === '/preview stop');
    holds(wasSaid, 'only who said so stops it by command');
  }
}

/** Whoever has a slot keeps it until its end: it never goes back into the line. */
async function checkHistory(world: RealWorld): Promise<void> {
  const [evicted] = await world.branch.query<{ slug: string }>(
    `select slug from preview_event where to_phase = 'waiting' and from_phase <> 'waiting' limit 1`,
  );
  holds(evicted === undefined, 'nobody is evicted');
}

/** What must hold when the queue is empty and every file was written. */
export async function checkSettled(world: RealWorld): Promise<void> {
  const rows = await world.rows();
  for (const [slug, file] of world.watch.files) {
    const row = rows.find((one) => one.slug === slug && one.incarnation === file.incarnation);
    holds(row !== undefined && hasFile(row.phase), 'no file for a preview that ended');
    const isMarked = /^ +edit-\d+: made$/m.test(file.text);
    holds((row?.edited === 'edited') === isMarked, 'a file that a person changed stays until it is written anew');
  }
}

export function holds(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(`does not hold: ${sentence}`);
}
