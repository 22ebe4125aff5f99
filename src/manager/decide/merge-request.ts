import { candidates, type Readings, unlimitedInput, withReading } from './input.js';
import { jobsOf } from './jobs.js';
import type { Matter } from './matter.js';
import type { DecideSettings, SubjectQuery } from './needs.js';
import type { Scope } from './scope.js';
import type { Subject } from './subject.js';

/** The preview of one merge request. */
export function mergeRequestMatter(settings: DecideSettings, subject: Subject, readings: Readings): Matter {
  return {
    subject: subject.name,
    wasRead: readings.mergeRequest !== null || readings.gateAskedFor !== null,
    query: (scope, slugs) => mergeRequestQuery(subject, readings, scope, slugs),
    slugs() {
      const facts = readings.mergeRequest?.known === true ? readings.mergeRequest.facts : null;
      return candidates(settings.policyFor(subject.projectId), { facts });
    },
    foreseen: (state) => withReading(state, readings.mergeRequest),
    input: (state) => unlimitedInput(settings, { subject, state, readings }),
    jobs: (parts) => jobsOf(settings, { subject, readings, ...parts }),
  };
}

export function mergeRequestQuery(
  { name, projectId, iid }: Subject,
  { mergeRequest: reading }: Readings,
  scope: Scope,
  slugs: string[],
): SubjectQuery {
  return { subject: name, projectId, iid, reading, slugs, occupancy: scope.slotsOf !== null, breaker: scope.breaker };
}
