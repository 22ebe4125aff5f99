import type { Instant } from './preview.js';
import type { SetValue } from './setting.js';
import type { WishKind } from './wish-kind.js';

/** What GitLab's API says of a merge request. Needed fields only; every text is an outsider's. */
export interface MergeRequestFacts {
  /** The target project: the one whose merge request it is. */
  projectId: number;
  iid: number;
  state: 'opened' | 'closed' | 'merged' | 'locked';
  /** Head of the merge request; null when GitLab has none (no commits yet, source gone). */
  sha: string | null;
  sourceBranch: string;
  targetBranch: string;
  title: string;
  authorId: number;
  authorUsername: string;
  draft: boolean;
  labels: string[];
  webUrl: string;
  /** null when the source project is gone. */
  sourceProjectId: number | null;
  createdAt: Instant;
  /** GitLab's `updated_at`. */
  updatedAt: Instant;
  /** `closed_at` or `merged_at`; null while it is open. */
  endedAt: Instant | null;
  /** User name of who merged or closed it; null, or absent: it is open, or GitLab does not say. */
  endedBy?: string | null;
  /** `created_at` of the newest merge request version; null when there is none. */
  lastPushAt: Instant | null;
  /** Newest `reopened` of the resource state events; null when it never was. */
  lastReopenedAt: Instant | null;
}

/**
 * One answer of the API on a merge request. `unknown` (401, 403, 404, a time-out, an empty list) never changes
 * whether a preview lives.
 */
export type MergeRequestReading =
  | { known: true; facts: MergeRequestFacts; readStartedAt: Instant }
  /** `absent`: GitLab says that there is no such merge request, which a token without rights hears too. */
  | { known: false; why: string; readStartedAt: Instant; absent?: boolean };

/**
 * What one gate says of one sha. `failed`: it stays closed until somebody acts. `detail`: a sentence for the note, which
 * may hold an outsider's words; null: there is nothing more to say. `link`: where GitLab shows it; absent: nowhere.
 */
export type GateReading =
  | { state: 'open' }
  | { state: 'waiting'; detail: string | null; link?: string | null }
  | { state: 'failed'; detail: string; link?: string | null };

/** A reading with what it is of. A stored verdict is `{state: 'open'}`. */
export interface GateFact {
  projectId: number;
  sha: string;
  /** Key of the gate; see `judgeGates`. */
  gate: string;
  reading: GateReading;
}

/** An order of a person that was verified: a command in a comment, the API, or a change in the branch. */
export interface Wish {
  kind: WishKind;
  source: 'command' | 'operator' | 'git';
  /** For `extend`: how long it lives at least, counted from `at`; null: the configured TTL. */
  amountMs: number | null;
  /** GitLab's time of the note; PostgreSQL's for an operator and for Git, whose commit dates anyone can set. */
  at: Instant;
  /** User name. */
  by: string;
  /** Of `approve`: the whole sha. */
  sha?: string;
  /** The project in whose merge request it was given. Absent: of an operator, who orders for the whole preview. */
  projectId?: number;
  /** Of `set` and `unset`: the key of the template's values. */
  key?: string;
  /** Of `set`: what it is to be. */
  value?: SetValue;
}

/** The newest thing that the agent said of an incarnation. */
export interface Observation {
  revision: string | null;
  state:
    | 'applying'
    | 'progressing'
    | 'healthy'
    | 'degraded'
    | 'suspended'
    | 'refused'
    | 'held'
    | 'terminating'
    | 'gone';
  /** One sentence; an outsider's text. */
  message: string | null;
  cause: 'fence' | 'source' | 'apply' | 'health' | 'timeout' | null;
  at: Instant;
}
