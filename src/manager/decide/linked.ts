import type { DecideInput, Decision, ReadingState } from '../../preview/decision.js';
import type { GateFact, MergeRequestReading } from '../../preview/facts.js';
import { type Baseline, hasEnded, type Linked, type LinkedProject } from '../../preview/linked.js';
import { type ForkEntry, forkEntry } from '../../preview/linked-forks.js';
import { linkedSlugs } from '../../preview/naming.js';
import type { Preview } from '../../preview/preview.js';
import { askAgain, commonJobs, decideJob, feedbackJob, pauseMs } from './jobs.js';
import type { Matter } from './matter.js';
import type { DecideSettings, Job, LinkedMergeRequest, SubjectQuery, SubjectState } from './needs.js';
import { type Scope, unlimitedBreaker, unlimitedUsage } from './scope.js';
import type { GroupSubject } from './subject.js';

export interface MemberReading {
  projectId: number;
  iid: number;
  reading: MergeRequestReading;
}

/** What was read from GitLab of a linked preview in one run of the job, before any lock. */
export interface LinkedReadings {
  /** PostgreSQL's time when the run began: whatever was read since then is fresh, whoever read it. */
  startedAt: number;
  members: readonly MemberReading[];
  gates: readonly GateFact[];
  /** `<project id> <sha>` of the pipelines that were asked for, whatever came of it. */
  gatesAsked: readonly string[];
  baselines: readonly Baseline[];
  /** Projects whose target branch GitLab could not show. */
  silent: readonly number[];
}

export const noLinkedReadings: LinkedReadings = {
  startedAt: Number.POSITIVE_INFINITY,
  members: [],
  gates: [],
  gatesAsked: [],
  baselines: [],
  silent: [],
};

/** A subject with what the configuration says of its group; null: there is no such group any more. */
export interface LinkedScope {
  subject: GroupSubject;
  group: ReturnType<NonNullable<DecideSettings['groupFor']>>;
  suffix: string;
  /** Whether a project of the configuration has this id. */
  isConfigured: (projectId: number) => boolean;
}

export function linkedScope(settings: DecideSettings, subject: GroupSubject): LinkedScope {
  const group = settings.groupFor?.(subject.group) ?? null;
  const isConfigured = (projectId: number) => settings.policyFor(projectId) !== null;
  return { subject, group, suffix: settings.suffixOf?.(subject.name) ?? '', isConfigured };
}

/** The preview of all merge requests of a group on one branch. */
export function linkedMatter(settings: DecideSettings, scope: LinkedScope, readings: LinkedReadings): Matter {
  const { subject, group } = scope;
  return {
    subject: subject.name,
    // What GitLab could not show was asked for, too, and is asked for again.
    wasRead: [readings.members, readings.gatesAsked, readings.baselines, readings.silent].some(
      ({ length }) => length > 0,
    ),
    query: (limits, slugs) => linkedQuery(scope, readings, limits, slugs),
    slugs: () => slugsOf(scope),
    foreseen: (state) => withReadings(state, readings.members),
    input: (state) => linkedInput(scope, state, readings),
    jobs: (parts) => linkedJobs(settings, { subject, isConfigured: group !== null, readings, ...parts }),
  };
}

export function linkedQuery(
  { subject, group }: LinkedScope,
  readings: LinkedReadings,
  scope: Scope,
  slugs: string[],
): SubjectQuery {
  return {
    subject: subject.name,
    projectId: 0,
    iid: 0,
    reading: null,
    slugs,
    occupancy: scope.slotsOf !== null,
    breaker: scope.breaker,
    linked: {
      projectIds: (group?.projects ?? []).map(({ projectId }) => projectId),
      branch: subject.branch,
      forks: forksOf(group?.projects ?? []),
      readings: readings.members,
      shas: readings.baselines.map(({ projectId, head: sha }) => ({ projectId, sha })),
    },
  };
}

/** Projects whose forks belong to it, at once or with the first approval. */
function forksOf(projects: readonly LinkedProject[]): { always: number[]; approved: number[] } {
  const of = (entry: ForkEntry) => projects.filter((project) => forkEntry(project) === entry);
  const ids = (entry: ForkEntry) => of(entry).map(({ projectId }) => projectId);
  return { always: ids('always'), approved: ids('approved') };
}

export function linkedInput(scope: LinkedScope, state: SubjectState, readings: LinkedReadings): DecideInput {
  const { subject, group } = scope;
  const known = state.mergeRequests ?? [];
  const linked: Linked = {
    branch: subject.branch,
    suffix: scope.suffix,
    projects: group?.projects ?? [],
    missing: group?.missing ?? [],
    unknown: unknownMembers(scope, state.preview),
    mergeRequests: known.flatMap(({ facts }) => (facts?.sourceBranch === subject.branch ? [facts] : [])),
    unread: hasUnread(state.preview, known),
    baselines: readings.baselines,
    silent: readings.silent,
  };
  return {
    linked,
    now: state.now,
    subject: subject.name,
    facts: null,
    reading: readingState(state, readings, subject.branch),
    preview: state.preview,
    policy: group?.policy ?? null,
    gates: [...state.gates, ...readings.gates],
    wishes: state.wishes,
    observation: state.observation,
    usage: unlimitedUsage,
    breaker: unlimitedBreaker,
    slugs: slugsOf(scope).map((slug) => ({ slug, taken: false, lastIncarnation: 0 })),
    branch: null,
    neverCommitted: state.neverCommitted,
  };
}

/** Members that may be of a project of the group that GitLab has never shown: nothing is decided about them. */
function unknownMembers({ group, isConfigured }: LinkedScope, preview: Preview | null): number[] {
  const members = group === null || group.missing.length === 0 ? [] : (preview?.members ?? []);
  return members.map(({ projectId }) => projectId).filter((projectId) => !isConfigured(projectId));
}

/** Names that its next incarnation may have. */
export function slugsOf({ subject, group, suffix }: LinkedScope): string[] {
  return group === null ? [] : linkedSlugs(group.policy, { branch: subject.branch, suffix });
}

/** The state as the transaction will find it when no other reading overtakes these. */
export function withReadings(state: SubjectState, readings: readonly MemberReading[]): SubjectState {
  const merged = new Map((state.mergeRequests ?? []).map((each) => [keyOf(each), each]));
  for (const { projectId, iid, reading } of readings) {
    const before = merged.get(keyOf({ projectId, iid }));
    const { facts = null, asked = false, unknownSince = null, readStartedAt = null } = before ?? {};
    const after = reading.known
      ? { facts: reading.facts, asked, unknownSince: null, readStartedAt: reading.readStartedAt }
      : { facts, asked, unknownSince: unknownSince ?? reading.readStartedAt, readStartedAt };
    merged.set(keyOf({ projectId, iid }), { projectId, iid, ...after });
  }
  return { ...state, mergeRequests: [...merged.values()] };
}

/**
 * Those whose present state a decision may rest on: not what ended, which stays so until something is heard of it, nor
 * what has another branch, see `isAnother`.
 */
export function relevant(state: SubjectState, branch: string): LinkedMergeRequest[] {
  const known = state.mergeRequests ?? [];
  return known.filter(({ facts }) => facts === null || (!hasEnded(facts) && !isAnother(facts, branch)));
}

/** A GitLab that was restored gives the number of a member to one of another branch: it is no member then. */
function isAnother(facts: { sourceBranch: string }, branch: string): boolean {
  return facts.sourceBranch !== branch;
}

function readingState(state: SubjectState, { startedAt }: LinkedReadings, branch: string): ReadingState {
  const asked = relevant(state, branch);
  const isLost = (state.mergeRequests ?? []).some(({ facts }) => facts !== null && isAnother(facts, branch));
  // Whatever became of the one that had that number, nobody can say.
  if (asked.length === 0 && isLost) return 'unknown';
  if (asked.every(({ readStartedAt }) => readStartedAt !== null && readStartedAt >= startedAt)) {
    return asked.length === 0 ? 'none' : 'fresh';
  }
  return asked.some(({ unknownSince }) => unknownSince !== null && unknownSince >= startedAt) ? 'unknown' : 'none';
}

function hasUnread(preview: Preview | null, known: readonly LinkedMergeRequest[]): boolean {
  if (preview === null || preview.phase === 'stopped') return false;
  const read = new Set(known.flatMap((each) => (each.facts === null ? [] : [keyOf(each)])));
  return preview.members.some(({ projectId, iid }) => iid !== null && !read.has(keyOf({ projectId, iid })));
}

function keyOf({ projectId, iid }: { projectId: number; iid: number }): string {
  return `${projectId}!${iid}`;
}

interface JobParts {
  subject: GroupSubject;
  isConfigured: boolean;
  state: SubjectState;
  readings: LinkedReadings;
  decision: Decision;
  project: string | null;
}

/** Every merge request that takes part is told, and those that took part until now. */
function linkedJobs(settings: DecideSettings, parts: JobParts): Job[] {
  const { state, decision } = parts;
  const members = [...(state.preview?.members ?? []), ...(decision.preview?.members ?? [])];
  // Not left to the branch writer, who would not know of those that leave with this decision.
  const told = decision.wantsFeedback ? members : [];
  const jobs = new Map(
    told.flatMap(({ projectId, iid }) => {
      const job = iid === null ? null : feedbackJob(projectId, iid);
      return job === null ? [] : [[job.key, job]];
    }),
  );
  const again = runAgain(parts);
  const others = parts.readings.members.flatMap(({ projectId, iid, reading }) =>
    reading.known && isAnother(reading.facts, parts.subject.branch) ? [decideJob(`mr:${projectId}:${iid}`)] : [],
  );
  return [...jobs.values(), ...others, ...commonJobs(settings, parts), ...(again === null ? [] : [again])];
}

/** As for one merge request: at once for what was not asked, later for what GitLab could not say. */
function runAgain({ subject, isConfigured, state, readings, decision }: JobParts): Job | null {
  const { needed } = decision;
  const unknown = readings.members.filter(({ reading }) => !reading.known);
  if (unknown.length > 0 && (isConfigured || decision.preview !== null)) {
    const since = relevant(state, subject.branch).flatMap(({ unknownSince }) =>
      unknownSince === null ? [] : [unknownSince],
    );
    const isAbsent = unknown.every(({ reading }) => !reading.known && reading.absent === true);
    return askAgain(
      subject.name,
      { now: state.now, unknownSince: since.length === 0 ? null : Math.min(...since) },
      isAbsent,
    );
  }
  if (needed.mergeRequest && readings.members.length === 0) return decideJob(subject.name);
  const gates = needed.memberGates ?? [];
  const isNew = gates.some(({ projectId, sha }) => !readings.gatesAsked.includes(`${projectId} ${sha}`));
  if (isNew || (needed.baselines ?? []).length > 0) return decideJob(subject.name);
  if (gates.length > 0 || readings.silent.length > 0) return decideJob(subject.name, state.now + pauseMs.gate);
  return decision.slugTaken ? decideJob(subject.name, state.now + pauseMs.slug) : null;
}
