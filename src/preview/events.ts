import type { DecisionEvent } from './decision.js';
import type { Preview } from './preview.js';

/** What happened between two states of one incarnation, in the words of its history. */
export function eventsBetween(before: Preview, after: Preview, actor: string | null): DecisionEvent[] {
  const events: DecisionEvent[] = [];
  const add = (kind: DecisionEvent['kind'], by: string | null = null, detail: string | null = null) =>
    events.push({
      slug: after.slug,
      incarnation: after.incarnation,
      kind,
      from: before.phase,
      to: after.phase,
      actor: by,
      detail,
    });
  if (after.edited !== null && (before.edited !== after.edited || before.wantedRevision !== after.wantedRevision)) {
    add(after.edited === 'edited' ? 'edited' : 'edit-refused', actor);
  }
  if (before.phase === 'stopping' && (after.phase === 'deploying' || after.phase === 'ready')) {
    add('stop-undone', actor);
  } else if (before.phase !== after.phase || wantedShas(before) !== wantedShas(after)) {
    add(after.phase, actorOf(before, after), phaseDetail(after));
  } else if (before.waitingFor !== after.waitingFor) {
    add('waiting', null, after.waitingFor);
  } else if (after.phase !== 'waiting' && nextShas(before) !== nextShas(after)) {
    add('next', null, nextShas(after));
  }
  if (before.stopReason !== null && after.stopReason !== null && before.stopReason !== after.stopReason) {
    add('stop-reason', after.stoppedBy, after.stopReason);
  }
  if (before.heldStop?.reason !== after.heldStop?.reason) {
    add(after.heldStop === null ? 'stop-released' : 'stop-held', null, (after.heldStop ?? before.heldStop)?.reason);
  }
  if ((before.unknownSince === null) !== (after.unknownSince === null) && after.phase !== 'stopped') {
    add(after.unknownSince === null ? 'known' : 'unknown');
  }
  return events;
}

/** The first event of an incarnation. */
export function createdEvent(preview: Preview): DecisionEvent {
  const { slug, incarnation, phase } = preview;
  return {
    slug,
    incarnation,
    kind: 'created',
    from: null,
    to: phase,
    actor: preview.ordered?.by ?? null,
    detail: null,
  };
}

function actorOf(before: Preview, after: Preview): string | null {
  if (after.phase === 'stopping' || after.phase === 'stopped') {
    return after.stoppedBy;
  }
  // What it sleeps for was decided before the file that puts it to sleep.
  return before.ordered === after.ordered && after.phase !== 'asleep' ? null : (after.ordered?.by ?? null);
}

function phaseDetail(after: Preview): string | null {
  if (after.phase === 'stopping' || after.phase === 'stopped') {
    return after.stopReason;
  }
  if (after.phase === 'failed') {
    return after.message === null ? after.cause : `${after.cause}: ${after.message}`;
  }
  if (after.phase === 'asleep') {
    return after.sleepCause;
  }
  return after.phase === 'deploying' || after.phase === 'ready' ? wantedShas(after) : null;
}

function wantedShas(preview: Preview): string {
  return preview.members.map((member) => member.wantedSha ?? '').join(' ');
}

function nextShas(preview: Preview): string {
  return preview.members
    .map((member) => (member.next === null ? '' : `${member.next.sha} ${member.next.waitingFor}`))
    .join(' ');
}
