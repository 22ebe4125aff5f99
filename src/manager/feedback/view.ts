import type { MergeRequestFacts, Wish } from '../../preview/facts.js';
import type { Instant, Member, Preview } from '../../preview/preview.js';

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
  /** Who has to mend it, where that is not the author; absent: the author. */
  mender?: 'operator' | undefined;
}

/** All that is told about a merge request's preview. */
export interface FeedbackView {
  /** The newest incarnation. */
  preview: Preview;
  /** null: the API never said anything. */
  facts: MergeRequestFacts | null;
  /** When the present revision was reported healthy. */
  deployedAt: Instant | null;
  /** When it was reported healthy for the first time since its newest sha began to be deployed; absent: not known. */
  firstHealthyAt?: Instant | null;
  /** When the incarnation before this ended, or a start of this was ordered, the later; null or absent: neither was. */
  begunAnewAt?: Instant | null;
  /** Place in the line for a slot, from 1; null when it stands in none. */
  line: { place: number; length: number } | null;
  /** The page on which visitors wake it; absent: there is none. */
  wakeUrl?: string;
  /** It waited for a slot in this incarnation; absent: it did not. */
  stoodInLine?: boolean;
  /** Of the present revision. */
  diagnosis: ViewDiagnosis | null;
  /** What those who wrote commands are told in words, newest first; absent: nothing. */
  answers?: readonly Answer[];
  /** Of each who wrote commands the newest comment, and the newest that was answered in words; absent: there is none. */
  spoken?: readonly Spoken[];
  /** Orders of the merge request, oldest first, once the preview is over; absent: none. */
  wishes?: readonly Wish[];
  /** What the configuration gives to forks by name; absent: nothing. */
  forkGets?: ForkGets;
  /** null, or absent: it is the preview of this one merge request. */
  linked?: LinkedView | null;
}

/** What the author of a comment with commands is told. */
export interface Answer {
  line: string;
  by: string;
  /** GitLab's time of the comment. */
  at: Instant;
  /** The author had the role that commands need. */
  permitted: boolean;
}

/** A comment with commands, and what came of it. */
export interface Spoken {
  by: string;
  /** GitLab's time of the comment. */
  at: Instant;
  /** The author had the role that commands need. */
  permitted: boolean;
  /** What its author is told in words; null: the emoji said it all. */
  line: string | null;
  /** Empty for one that is not its author's newest. */
  orders: readonly { kind: Wish['kind']; amountMs: number | null }[];
}

/** All that is told in a merge request that never had a preview, once somebody wrote a command there. */
export interface AbsentView {
  facts: MergeRequestFacts | null;
  /** As in `FeedbackView`; one at least. */
  spoken: readonly Spoken[];
  /** Orders of the merge request, oldest first. */
  wishes: readonly Wish[];
}

/** What the preview of a fork otherwise goes without. */
export interface ForkGets {
  /** One of the copied secrets at least. */
  secrets: boolean;
  /** Another repository than the target project's. */
  repositories: boolean;
  /** A linked preview, once a member approved a commit of it. Absent: none. */
  linked?: boolean;
}

/** What is told of a linked preview in one of its merge requests. */
interface LinkedView {
  /** The merge request that is told. */
  key: { projectId: number; iid: number };
  /** Name of its project in the configuration; null: it is there no more. */
  own: string | null;
  /** Names of projects of the group that GitLab has never shown; absent: none. */
  missing?: readonly string[];
  /** What the configuration gives to its forks by name. Absent: what that of the merge request's own project does. */
  forkGets?: ForkGets;
  /** One for each member, in their order. */
  rows: readonly { projectId: number; iid: number | null; project: string; webUrl: string | null }[];
}

/** The member that is this merge request; undefined: it takes part no more. */
export function ownMember({ preview, linked }: FeedbackView): Member | undefined {
  if (linked == null) return preview.members[0];
  const { projectId, iid } = linked.key;
  return preview.members.find((member) => member.projectId === projectId && member.iid === iid);
}
