import type { Logger } from 'pino';
import type { BreakerUsage, DecideInput, DecisionEvent, ImageWait, OpenGate } from '../../preview/decision.js';
import type { GateFact, GateReading, MergeRequestFacts, MergeRequestReading } from '../../preview/facts.js';
import type { Baseline, LinkedProject } from '../../preview/linked.js';
import type { Policy } from '../../preview/policy.js';
import type { Preview } from '../../preview/preview.js';

/** What one project holds of the limits; the preview in question is not counted. */
export interface Occupancy {
  project: string;
  used: number;
  waitingBefore: number;
  head: { subject: string; since: number } | null;
}

/** What is to be loaded of a linked preview in place of one merge request. */
interface LinkedQuery {
  /** Projects of its group. */
  projectIds: readonly number[];
  /** Exact name of the source branch. */
  branch: string;
  /** Projects whose forks take part, and those whose forks do once a commit of the merge request was approved. */
  forks: { always: readonly number[]; approved: readonly number[] };
  readings: readonly { projectId: number; iid: number; reading: MergeRequestReading }[];
  /** Commits of target branches whose gates matter. */
  shas: readonly { projectId: number; sha: string }[];
}

/** One merge request of a linked preview as it is known. */
export interface LinkedMergeRequest {
  projectId: number;
  iid: number;
  facts: MergeRequestFacts | null;
  asked: boolean;
  unknownSince: number | null;
  /** When the read that `facts` comes from began. */
  readStartedAt: number | null;
}

/** What is to be loaded of a subject; see `SubjectState`. */
export interface SubjectQuery {
  subject: string;
  projectId: number;
  iid: number;
  /** An answer of the API to merge first; null: none. */
  reading: MergeRequestReading | null;
  slugs: string[];
  occupancy: boolean;
  breaker: boolean;
  /** Of a linked preview, whose `projectId` and `iid` are 0 and whose `reading` is null. */
  linked?: LinkedQuery;
}

export interface SubjectState
  extends Pick<
    DecideInput,
    'now' | 'facts' | 'preview' | 'gates' | 'wishes' | 'observation' | 'neverCommitted' | 'slugs'
  > {
  asked: boolean;
  unknownSince: number | null;
  occupancy: Occupancy[];
  breaker: BreakerUsage | null;
  /** Of a linked preview: the merge requests of its branch, and those that are its members. */
  mergeRequests?: LinkedMergeRequest[];
}

export interface Job {
  task: string;
  key: string;
  payload: Record<string, string | number>;
  runAt?: number;
}

interface SubjectChange {
  ended: Preview | null;
  preview: Preview | null;
  events: DecisionEvent[];
  needsCommit: boolean;
  /** Gates that were not known to be open. */
  openedGates: OpenGate[];
  /** Images that are looked for from now on. */
  images: ImageWait[];
  jobs: Job[];
}

/** One decision's transaction. It holds the lock of the subject. */
export interface DecideTransaction {
  load: (query: SubjectQuery) => Promise<SubjectState>;
  /** In the order global, then project; until the transaction ends. */
  lockSlots: (project: string) => Promise<void>;
  /** The last thing that is done: it commits. */
  save: (change: SubjectChange) => Promise<void>;
}

interface DecideStore {
  /**
   * Has what was told to a merge request, and its comments, looked at from the beginning; drops orders that are older
   * than it. Absent: nothing was told.
   */
  forgetTold?: (input: { projectId: number; iid: number; createdAt: number }) => Promise<void>;
  /** Reads without locks. */
  read: (query: SubjectQuery) => Promise<SubjectState>;
  /**
   * Runs `work` in a transaction that holds the subject's lock, and the slots' too when `slotsOf` names a project.
   * Runs it once more when it lost a race for a slug.
   */
  transact: <T>(
    options: { subject: string; slotsOf: string | null },
    work: (transaction: DecideTransaction) => Promise<T>,
  ) => Promise<T>;
}

/** GitLab's readers. A reading that says `known: false` is an answer; an exception fails the job, which is retried. */
interface DecideReaders {
  /** `known`: what GitLab said before, which saves it the questions that cannot have another answer. */
  readMergeRequest: (
    projectId: number,
    iid: number,
    signal: AbortSignal,
    known?: MergeRequestFacts | null,
  ) => Promise<MergeRequestReading>;
  readGate: (
    question: { projectId: number; sha: string; iid: number | null; gate: Exclude<Policy['gatePipeline'], 'none'> },
    signal: AbortSignal,
  ) => Promise<GateReading>;
  /**
   * The target branch of a project in which no merge request takes part, with what was found of its gates on the way.
   * `branch`: the one that the others want to be merged into; a project without it has its default branch taken.
   */
  readBaseline?: (
    question: { project: LinkedProject; branch: string },
    signal: AbortSignal,
  ) => Promise<{ baseline: Baseline; gates: GateFact[] }>;
}

export interface DecideSettings {
  /** null: no project of the configuration has this id. */
  policyFor: (projectId: number) => Policy | null;
  /** `limits.previews` of all projects together, and of each by its name. */
  slotLimits: () => { total: number; projects: ReadonlyMap<string, number> };
  /** The group that a project belongs to; null, or absent: none. */
  groupOf?: (projectId: number) => string | null;
  /** null: the configuration has no group of this name. */
  groupFor?: (name: string) => {
    policy: Policy;
    projects: readonly LinkedProject[];
    /** Names of projects of the group that GitLab has never shown. */
    missing: readonly string[];
  } | null;
  /** Six digits that tell a subject from every other. */
  suffixOf?: (subject: string) => string;
  /** The branch that the commit job writes; part of its key. */
  branch: string;
}

export interface DecideDeps {
  store: DecideStore;
  gitlab: DecideReaders;
  settings: DecideSettings;
  /** Takes in what people did to the branch until now; false: nothing is taken from it while it is not Mayfly's. */
  readBranch: (signal: AbortSignal) => Promise<boolean>;
  /**
   * Tells the branch writer, after the transaction, that rows wait. A job saved with each decision would make all of
   * them take turns at its one row; a word that is lost costs seconds, for the writer also looks by itself.
   */
  wakeWriter: () => void;
  log: Logger;
}
