import type { DecideInput, ReadingState } from '../../preview/decision.js';
import type { GateFact, MergeRequestReading } from '../../preview/facts.js';
import { slugCandidates } from '../../preview/naming.js';
import type { Policy } from '../../preview/policy.js';
import { linkedGroupOf } from './linked-group.js';
import type { DecideSettings, SubjectState } from './needs.js';
import { unlimitedBreaker, unlimitedUsage } from './scope.js';
import type { Subject } from './subject.js';
import { usageOf } from './usage.js';

/** What was read from GitLab in one run of the job, before any lock. */
export interface Readings {
  /** null: it was not asked. */
  mergeRequest: MergeRequestReading | null;
  gates: GateFact[];
  /** The sha whose pipeline was asked for, whatever came of it; null: none. */
  gateAskedFor: string | null;
}

export const nothingRead: Readings = { mergeRequest: null, gates: [], gateAskedFor: null };

export interface InputParts {
  subject: Subject;
  state: SubjectState;
  readings: Readings;
}

/** The same input with the limits as they were counted. */
export function withLimits(settings: DecideSettings, state: SubjectState, input: DecideInput): DecideInput {
  const usage =
    input.policy === null ? input.usage : usageOf(state.occupancy, input.policy.project, settings.slotLimits());
  // What was not counted holds: judge() never lets a count that is not a number pass.
  const breaker = state.breaker ?? { ...unlimitedBreaker, livedAtHourStart: Number.NaN };
  return { ...input, usage, breaker, slugs: state.slugs };
}

/** The same as if there were room for all and every slug were free: what comes of it shows what must be counted. */
export function unlimitedInput(settings: DecideSettings, parts: InputParts): DecideInput {
  const { subject, state, readings } = parts;
  const policy = settings.policyFor(subject.projectId);
  const group = state.facts === null ? null : linkedGroupOf(settings, state.facts, state.wishes);
  return {
    ...(group === null ? {} : { linkedTo: group }),
    now: state.now,
    subject: subject.name,
    facts: state.facts,
    reading: readingState(state, readings.mergeRequest),
    preview: state.preview,
    policy,
    gates: [...state.gates, ...readings.gates],
    wishes: state.wishes,
    observation: state.observation,
    usage: unlimitedUsage,
    breaker: unlimitedBreaker,
    slugs: candidates(policy, state).map((slug) => ({ slug, taken: false, lastIncarnation: 0 })),
    // People's edits of the branch are taken in by its read-back, and arrive here as wishes.
    branch: null,
    neverCommitted: state.neverCommitted,
  };
}

/** Possible slugs of a next incarnation; none where nothing can begin. */
export function candidates(policy: Policy | null, state: Pick<SubjectState, 'facts'>): string[] {
  return policy === null || state.facts === null ? [] : slugCandidates(policy, state.facts);
}

/** The state as the transaction will find it when no other reading overtakes this one. */
export function withReading(state: SubjectState, reading: MergeRequestReading | null): SubjectState {
  if (reading === null) return state;
  if (!reading.known) return { ...state, unknownSince: state.unknownSince ?? reading.readStartedAt };
  return { ...state, facts: reading.facts, unknownSince: null };
}

function readingState(state: SubjectState, reading: MergeRequestReading | null): ReadingState {
  if (reading === null) return 'none';
  if (reading.known) return 'fresh';
  // An answer that said nothing and was overtaken by one that did leaves no trace.
  return state.unknownSince === null ? 'none' : 'unknown';
}
