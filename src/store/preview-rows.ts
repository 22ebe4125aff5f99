import type { Member, Preview } from '../preview/preview.js';

/** A row of `preview` as PostgreSQL writes it into JSON: times are ISO 8601 texts. */
export interface PreviewRow {
  slug: string;
  incarnation: number;
  subject: string;
  project: string;
  cluster: string;
  namespace: string;
  url: string | null;
  phase: Preview['phase'];
  waiting_for: Preview['waitingFor'];
  waiting_since: string | null;
  cause: Preview['cause'];
  message: string | null;
  wanted_revision: string | null;
  deployed_revision: string | null;
  version: number;
  edited: Preview['edited'];
  held_stop: Preview['heldStop'];
  unknown_since: string | null;
  last_activity_at: string;
  expires_at: string;
  created_at: string;
  deploying_since: string | null;
  ready_at: string | null;
  stopped_at: string | null;
  stop_reason: Preview['stopReason'];
  stopped_by: string | null;
  stop_detail: string | null;
  set_values: Preview['setValues'];
  redeployed_at: string | null;
  want_asleep: boolean;
  sleep_cause: Preview['sleepCause'];
  sleep_ordered_at: string | null;
  sha_since: string | null;
  sleep_due_at: string | null;
  ordered: Preview['ordered'];
  pinned_by: string | null;
  warn_at: string | null;
  warned_at: string | null;
  warned_for: string | null;
}

export interface MemberRow {
  project_id: number;
  iid: number | null;
  wanted_sha: string | null;
  deployed_sha: string | null;
  next: Member['next'];
  branch?: string | null;
  fork?: boolean;
}

export function previewFromRow(row: PreviewRow, members: MemberRow[]): Preview {
  return {
    slug: row.slug,
    incarnation: row.incarnation,
    subject: row.subject,
    project: row.project,
    cluster: row.cluster,
    namespace: row.namespace,
    url: row.url,
    members: members.map(memberFromRow),
    phase: row.phase,
    waitingFor: row.waiting_for,
    waitingSince: instant(row.waiting_since),
    cause: row.cause,
    message: row.message,
    wantedRevision: row.wanted_revision,
    deployedRevision: row.deployed_revision,
    version: row.version,
    edited: row.edited,
    heldStop: row.held_stop,
    unknownSince: instant(row.unknown_since),
    lastActivityAt: Date.parse(row.last_activity_at),
    expiresAt: Date.parse(row.expires_at),
    createdAt: Date.parse(row.created_at),
    deployingSince: instant(row.deploying_since),
    readyAt: instant(row.ready_at),
    stoppedAt: instant(row.stopped_at),
    stopReason: row.stop_reason,
    stoppedBy: row.stopped_by,
    stopDetail: row.stop_detail,
    setValues: row.set_values,
    redeployedAt: instant(row.redeployed_at),
    wantAsleep: row.want_asleep,
    sleepCause: row.sleep_cause,
    sleepOrderedAt: instant(row.sleep_ordered_at),
    shaSince: instant(row.sha_since),
    sleepDueAt: instant(row.sleep_due_at),
    ordered: row.ordered,
    pinnedBy: row.pinned_by,
    warnAt: instant(row.warn_at),
    warnedAt: instant(row.warned_at),
    warnedFor: instant(row.warned_for),
  };
}

function memberFromRow(row: MemberRow): Member {
  return {
    projectId: row.project_id,
    iid: row.iid,
    wantedSha: row.wanted_sha,
    deployedSha: row.deployed_sha,
    next: row.next === null ? null : nextFromRow(row.next),
    ...(row.branch == null ? {} : { branch: row.branch }),
    ...(row.fork === true ? { fork: true } : {}),
  };
}

/** Key by key: PostgreSQL keeps them in an order of its own. One that was saved before there were links has none. */
function nextFromRow({ sha, waitingFor, since, detail, link, stuck }: NonNullable<Member['next']>): Member['next'] {
  return { sha, waitingFor, since, detail, link: link ?? null, stuck: stuck ?? false };
}

export function rowFromPreview(preview: Preview): PreviewRow {
  return {
    slug: preview.slug,
    incarnation: preview.incarnation,
    subject: preview.subject,
    project: preview.project,
    cluster: preview.cluster,
    namespace: preview.namespace,
    url: preview.url,
    phase: preview.phase,
    waiting_for: preview.waitingFor,
    waiting_since: timestamp(preview.waitingSince),
    cause: preview.cause,
    message: preview.message,
    wanted_revision: preview.wantedRevision,
    deployed_revision: preview.deployedRevision,
    version: preview.version,
    edited: preview.edited,
    held_stop: preview.heldStop,
    unknown_since: timestamp(preview.unknownSince),
    last_activity_at: iso(preview.lastActivityAt),
    expires_at: iso(preview.expiresAt),
    created_at: iso(preview.createdAt),
    deploying_since: timestamp(preview.deployingSince),
    ready_at: timestamp(preview.readyAt),
    stopped_at: timestamp(preview.stoppedAt),
    stop_reason: preview.stopReason,
    stopped_by: preview.stoppedBy,
    stop_detail: preview.stopDetail,
    set_values: preview.setValues,
    redeployed_at: timestamp(preview.redeployedAt),
    want_asleep: preview.wantAsleep,
    sleep_cause: preview.sleepCause,
    sleep_ordered_at: timestamp(preview.sleepOrderedAt),
    sha_since: timestamp(preview.shaSince),
    sleep_due_at: timestamp(preview.sleepDueAt),
    ordered: preview.ordered,
    pinned_by: preview.pinnedBy,
    warn_at: timestamp(preview.warnAt),
    warned_at: timestamp(preview.warnedAt),
    warned_for: timestamp(preview.warnedFor),
  };
}

export function rowsFromMembers(preview: Preview) {
  return preview.members.map((member, ordinal) => ({
    ordinal,
    project_id: member.projectId,
    iid: member.iid,
    wanted_sha: member.wantedSha,
    deployed_sha: member.deployedSha,
    next: member.next,
    branch: member.branch ?? null,
    fork: member.fork === true,
  }));
}

/** The text of a time for PostgreSQL, null for none. */
export function timestamp(at: number | null): string | null {
  return at === null ? null : iso(at);
}

/** Milliseconds since the epoch of a time in JSON; null for none. */
export function instant(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}

/** Rounded: a sum of milliseconds may have a fraction, a Date may not. Clamped to what PostgreSQL can hold. */
function iso(at: number): string {
  return new Date(Math.min(Math.round(at), 8.64e15)).toISOString().replace(/^\+/, '');
}
