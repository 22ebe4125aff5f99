import type { DecideInput } from './decision.js';
import type { Desire } from './desire.js';
import type { GatesState } from './gate.js';
import { holdsSlot, transition } from './lifecycle.js';
import { advanceLinked } from './linked-advance.js';
import type { Member, NextSha, Preview, WaitingFor } from './preview.js';
import { slotIsFree } from './quota.js';
import { gatesOfSha } from './sha-gates.js';

/** The sha whose gate decides what happens next; null: none is wanted, or it is deployed already. */
export function shaToDeploy(row: Preview | null, want: Desire | null, input: DecideInput): string | null {
  const sha = input.facts?.sha ?? null;
  // What is kept after the merge stays as it is.
  if (want?.runs !== true || sha === null || input.facts?.state === 'merged') {
    return null;
  }
  const isRunning = row !== null && row.phase !== 'stopped';
  return isRunning && ownMember(row, input)?.wantedSha === sha ? null : sha;
}

/**
 * The row's way to the newest sha: through its gates, then, for a row that holds none, to a slot. Until then
 * an older sha stays deployed and `next` says what is awaited.
 */
export function applyAdvance(row: Preview, want: Desire | null, input: DecideInput): Preview {
  if (want?.runs !== true || input.policy === null || row.phase === 'stopping' || row.phase === 'stopped') {
    return row;
  }
  if (input.facts?.state === 'merged') {
    const isAwaited = row.members.some(({ next }) => next !== null);
    return isAwaited ? { ...row, members: row.members.map((member) => ({ ...member, next: null })) } : row;
  }
  if (input.linked !== undefined) {
    return advanceLinked(row, { ...input, linked: input.linked });
  }
  const sha = shaToDeploy(row, want, input);
  if (sha === null) {
    return withOwnMember(row, input, (member) => (member.next === null ? member : { ...member, next: null }));
  }
  const closed = gatesOfSha(sha, row.slug, input)?.closed ?? null;
  if (closed !== null) {
    return wait(row, sha, closed, input);
  }
  return holdsSlot(row.phase) || slotIsFree(input.policy, input.usage)
    ? deploy(row, sha, input)
    : wait(row, sha, null, input);
}

function deploy(row: Preview, sha: string, input: DecideInput): Preview {
  const moved = withOwnMember(row, input, (member) => ({ ...member, wantedSha: sha, next: null }));
  const isFirst = ownMember(row, input)?.wantedSha === null;
  const approval = input.wishes.findLast((wish) => wish.kind === 'approve' && wish.sha === sha);
  return transition(moved, 'deploying', {
    wantedRevision: null,
    edited: null,
    deployingSince: input.now,
    ordered: approval === undefined ? (isFirst ? row.ordered : null) : { kind: 'approve', by: approval.by },
  });
}

/** `closed`: the gate that is told; null: it waits for a slot. */
function wait(row: Preview, sha: string, closed: GatesState['closed'], input: DecideInput): Preview {
  const waitingFor: WaitingFor = closed?.kind ?? 'slot';
  const reading = closed?.reading ?? null;
  const next = {
    sha,
    waitingFor,
    since: input.now,
    detail: reading?.detail ?? null,
    link: reading?.link ?? null,
    stuck: reading?.state === 'failed',
  };
  const isUnknown = closed !== null && reading === null;
  const waiting = withOwnMember(row, input, (member) => ({ ...member, next: nextSha(member.next, next, isUnknown) }));
  if (row.phase !== 'waiting') {
    return waiting;
  }
  return row.waitingFor === waitingFor ? waiting : { ...waiting, waitingFor, waitingSince: input.now };
}

/** Keeps since when the same sha waits for the same thing, and its last known detail while GitLab cannot say. */
function nextSha(known: NextSha | null, next: NextSha, isUnknown: boolean): NextSha {
  if (known === null || known.sha !== next.sha || known.waitingFor !== next.waitingFor) {
    return next;
  }
  return isUnknown ? known : { ...next, since: known.since };
}

function ownMember(row: Preview, input: DecideInput): Member | undefined {
  return row.members.find((member) => isOwn(member, input));
}

function withOwnMember(row: Preview, input: DecideInput, change: (member: Member) => Member): Preview {
  return { ...row, members: row.members.map((member) => (isOwn(member, input) ? change(member) : member)) };
}

function isOwn(member: Member, input: DecideInput): boolean {
  return member.projectId === input.facts?.projectId && member.iid === input.facts.iid;
}
