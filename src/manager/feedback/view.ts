import type { MergeRequestFacts } from '../../preview/facts.js';
import type { Instant, Preview } from '../../preview/preview.js';

/** Why the cluster is not content: an outsider's texts. */
interface ViewDiagnosis {
  /** `Kind/name`; null when no object is to blame. */
  object: string | null;
  sentence: string;
  /** What the cluster says: events, refusals, oldest first. */
  evidence: readonly string[];
  /** What the container to blame printed last; absent: nothing. */
  logs?: readonly string[] | undefined;
  /** There are log lines, and this project's note does not show them. */
  logsWithheld?: boolean;
}

/** All that is told about a merge request's preview. */
export interface FeedbackView {
  /** The newest incarnation. */
  preview: Preview;
  /** null: the API never said anything. */
  facts: MergeRequestFacts | null;
  /** When the present revision was reported healthy. */
  deployedAt: Instant | null;
  /** Place in the line for a slot, from 1; null when it stands in none. */
  line: { place: number; length: number } | null;
  /** Of the present revision. */
  diagnosis: ViewDiagnosis | null;
  /** The newest answer to a command that needs words. */
  answer: { line: string; by: string; at: Instant } | null;
}
