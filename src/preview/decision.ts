import type { BranchFact } from './branch.js';
import type { GateFact, MergeRequestFacts, Observation, Wish } from './facts.js';
import type { Linked } from './linked.js';
import type { SlugClaim } from './naming.js';
import type { Policy, SlotUsage } from './policy.js';
import type { Instant, Phase, Preview } from './preview.js';

/**
 * How far GitLab was asked in this run of the job. `fresh`: `facts` comes from a read that began after the job did.
 * `unknown`: it was asked and could not say. `none`: it was not asked.
 */
export type ReadingState = 'fresh' | 'unknown' | 'none';

/** What the manager's breaker must know to judge one stop. */
export interface BreakerUsage {
  /** Other previews whose stop is held now. */
  heldElsewhere: number;
  /** Unexplained stops of the last hour, of previews that had a file. */
  doneLastHour: number;
  /** Previews that lived when that hour began. */
  livedAtHourStart: number;
  /** A person accepted the deletion of this very slug and incarnation. */
  accepted: boolean;
}

/** All that a decision depends on; everything is loaded in the transaction that saves its result. */
export interface DecideInput {
  /** PostgreSQL's. */
  now: Instant;
  subject: string;
  /** The newest that the API ever said; null when it never said anything. */
  facts: MergeRequestFacts | null;
  reading: ReadingState;
  /** The newest incarnation of the subject, stopped ones included. */
  preview: Preview | null;
  /** null: no project of the configuration has this merge request. */
  policy: Policy | null;
  /** What is known of gates; what is of another sha than the facts' says nothing. */
  gates: GateFact[];
  /** All verified wishes of the subject, oldest first; of two at the same time the later in the list holds. */
  wishes: Wish[];
  /** Of this very slug and incarnation. */
  observation: Observation | null;
  usage: SlotUsage;
  breaker: BreakerUsage;
  /** One for each of `slugCandidates`; read only when an incarnation may begin. */
  slugs: SlugClaim[];
  /** What the read-back of the branch found just now; null in every other run. */
  branch: BranchFact | null;
  /** No push of this incarnation was ever begun, so that no agent will ever report it gone. */
  neverCommitted: boolean;
  /** Of a linked preview, whose `facts` are made of these. Absent: the preview of one merge request. */
  linked?: Linked;
  /** The group whose previews show this merge request, so that it has none of its own. Absent: none. */
  linkedTo?: string;
}

export interface DecisionEvent {
  slug: string;
  incarnation: number;
  kind:
    | 'created'
    | 'waiting'
    | 'deploying'
    | 'ready'
    | 'failed'
    | 'asleep'
    | 'next'
    | 'edited'
    | 'edit-refused'
    | 'stopping'
    | 'stopped'
    | 'stop-undone'
    | 'stop-held'
    | 'stop-released'
    | 'stop-reason'
    | 'unknown'
    | 'known'
    | 'template-problem'
    | 'template-mended';
  /** Phases; null where there is none. */
  from: Phase | null;
  to: Phase | null;
  /** User name; null: Mayfly itself. */
  actor: string | null;
  detail: string | null;
}

/** What must be read from GitLab before the decision can be complete. */
export interface NeededReads {
  mergeRequest: boolean;
  /** The sha whose pipeline must be read; null: none. */
  gateSha: string | null;
  /** Images that must be looked for in their registries from now on. */
  images: ImageWait[];
  /** Of a linked preview, in place of `gateSha`: whose pipelines must be read. */
  memberGates?: { projectId: number; iid: number | null; sha: string }[];
  /** Of a linked preview: projects whose target branch must be read. */
  baselines?: number[];
}

/** An image that one sha waits for. */
export interface ImageWait {
  projectId: number;
  sha: string;
  image: string;
}

/** A gate that is open for a sha, to be remembered. */
export interface OpenGate {
  projectId: number;
  sha: string;
  gate: string;
}

export interface Decision {
  /** The newest incarnation as it should be saved; the input's own object when nothing changed. */
  preview: Preview | null;
  /** The incarnation before it, when this decision ended that one and began another: to be saved first. */
  ended: Preview | null;
  changed: boolean;
  events: DecisionEvent[];
  /** The file may differ from the row now. */
  needsCommit: boolean;
  /** A slot, or a place in a line, became free: the head of the line is to be decided. */
  freedSlot: boolean;
  /** What the merge request shows may differ now. */
  wantsFeedback: boolean;
  /** Gates that are open for the sha that is to be deployed. */
  openGates: OpenGate[];
  /** It should run, and every slug that it may have is taken. */
  slugTaken: boolean;
  /** Reads that would let more be decided. Set when the world moved between the reads and this decision: run again. */
  needed: NeededReads;
}
