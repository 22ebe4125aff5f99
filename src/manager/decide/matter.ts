import type { DecideInput, Decision } from '../../preview/decision.js';
import type { Job, SubjectQuery, SubjectState } from './needs.js';
import type { Scope } from './scope.js';

/** What is decided about in one run of the job, with all that was read for it: a merge request, or a linked preview. */
export interface Matter {
  /** Name of the subject. */
  subject: string;
  /** GitLab was asked, so that there is something to save whatever is decided. */
  wasRead: boolean;
  query: (scope: Scope, slugs: string[]) => SubjectQuery;
  /** Possible slugs of a next incarnation, by what was read; none where nothing can begin. */
  slugs: () => string[];
  /** The state as the transaction will find it when no other reading overtakes this one. */
  foreseen: (state: SubjectState) => SubjectState;
  /** What is decided on, as if there were room for all and every slug were free. */
  input: (state: SubjectState) => DecideInput;
  /** What follows from the decision and is saved with it. */
  jobs: (parts: { state: SubjectState; decision: Decision; project: string | null }) => Job[];
}
