import type { NextSha } from '../../preview/preview.js';
import type { Trouble, WebBreaker, WebEvent, WebMember, WebPreview, WebPreviewDetail } from './needs.js';

/** The JSON of the API: times as ISO 8601 texts in UTC, everything else under the names of the row. */
export function presentPreview(preview: WebPreview) {
  return {
    slug: preview.slug,
    incarnation: preview.incarnation,
    project: preview.project,
    phase: preview.phase,
    waitingFor: preview.waitingFor,
    line: preview.line,
    cause: preview.cause,
    message: preview.message,
    templateProblem: preview.templateProblem,
    cluster: preview.cluster,
    namespace: preview.namespace,
    url: preview.url,
    edited: preview.edited,
    paused: preview.paused,
    heldStop: preview.heldStop && { reason: preview.heldStop.reason, since: iso(preview.heldStop.since) },
    unknownSince: iso(preview.unknownSince),
    createdAt: iso(preview.createdAt),
    readyAt: iso(preview.readyAt),
    expiresAt: iso(preview.expiresAt),
    pinnedBy: preview.pinnedBy,
    stoppedAt: iso(preview.stoppedAt),
    stopReason: preview.stopReason,
    stoppedBy: preview.stoppedBy,
    members: preview.members.map(presentMember),
  };
}

function presentMember(member: WebMember) {
  return {
    projectId: member.projectId,
    iid: member.iid,
    branch: member.branch ?? null,
    wantedSha: member.wantedSha,
    deployedSha: member.deployedSha,
    next: member.next && presentNext(member.next),
    images: member.images.map((each) => ({ ...each, lookedAt: iso(each.lookedAt) })),
    mergeRequest: member.mergeRequest,
  };
}

function presentNext(next: NextSha) {
  const { sha, waitingFor, since, detail } = next;
  // One that was saved before there were links has none.
  return { sha, waitingFor, since: iso(since), detail, link: next.link ?? null, stuck: next.stuck ?? false };
}

export function presentDetail(preview: WebPreviewDetail) {
  const { observation } = preview;
  return {
    ...presentPreview(preview),
    wantedRevision: preview.wantedRevision,
    deployedRevision: preview.deployedRevision,
    lastActivityAt: iso(preview.lastActivityAt),
    observation: observation && { ...observation, observedAt: iso(observation.observedAt) },
  };
}

export function presentEvent(event: WebEvent) {
  return { ...event, at: iso(event.at) };
}

export function presentBreaker(breaker: WebBreaker) {
  return {
    open: isOpen(breaker),
    blockedReason: breaker.blockedReason,
    notice: breaker.notice && { text: breaker.notice.text, since: iso(breaker.notice.since) },
    gitlab: presentTrouble(breaker.gitlab),
    held: breaker.held.map((each) => ({ ...each, since: iso(each.since) })),
    agents: breaker.agents.map((agent) => ({ ...agent, lastSeenAt: iso(agent.lastSeenAt) })),
  };
}

export function presentTrouble(trouble: Trouble | null | undefined) {
  return trouble == null ? null : { text: trouble.text, since: iso(trouble.since) };
}

/** Whether anything waits for a person. */
function isOpen(breaker: WebBreaker): boolean {
  const agents = breaker.agents.some((agent) => agent.breaker?.open === true);
  return breaker.blockedReason !== null || breaker.held.length > 0 || agents;
}

function iso(at: number): string;
function iso(at: number | null): string | null;
function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
