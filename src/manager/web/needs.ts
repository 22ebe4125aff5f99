import type { HeldStop, Member, Phase, Preview } from '../../preview/preview.js';
import type { BreakerReport } from '../../protocol/poll.js';

/** One incarnation as lists show it. Times in milliseconds since the epoch; texts of people as they wrote them. */
export interface WebPreview {
  slug: string;
  incarnation: number;
  project: string;
  phase: Phase;
  waitingFor: Preview['waitingFor'];
  cause: Preview['cause'];
  message: string | null;
  cluster: string;
  namespace: string;
  url: string | null;
  edited: Preview['edited'];
  heldStop: HeldStop | null;
  unknownSince: number | null;
  createdAt: number;
  readyAt: number | null;
  expiresAt: number;
  stoppedAt: number | null;
  stopReason: Preview['stopReason'];
  stoppedBy: string | null;
  members: WebMember[];
}

export interface WebMember extends Member {
  mergeRequest: { title: string; webUrl: string; sourceBranch: string; author: string } | null;
}

export interface WebPreviewDetail extends WebPreview {
  wantedRevision: string | null;
  deployedRevision: string | null;
  lastActivityAt: number;
  observation: {
    state: string;
    revision: string | null;
    observedAt: number;
    objects: unknown[];
    diagnosis: unknown;
  } | null;
}

export interface WebEvent {
  id: number;
  incarnation: number;
  at: number;
  kind: string;
  from: string | null;
  to: string | null;
  actor: string | null;
  detail: string | null;
}

/** Reads previews. */
export interface PreviewReader {
  /** In the order of slug and incarnation. `phase` null: all that are not stopped. */
  list(query: {
    project: string | null;
    phase: Phase | null;
    search: string | null;
    after: { slug: string; incarnation: number } | null;
    limit: number;
  }): Promise<WebPreview[]>;
  /** The newest incarnation. */
  find(slug: string): Promise<WebPreviewDetail | null>;
  /** The newest first, of all incarnations. */
  events(query: { slug: string; before: number | null; limit: number }): Promise<WebEvent[]>;
}

/** Records an operator's order. */
export type GiveOrder = (order: {
  slug: string;
  kind: 'start' | 'stop' | 'extend';
  amountMs: number | null;
  by: string;
}) => Promise<{ outcome: 'given' | 'unfit'; phase: Phase; incarnation: number } | { outcome: 'unknown' }>;

export interface Pair {
  slug: string;
  incarnation: number;
}

/** What stands still until a person looks. */
export interface WebBreaker {
  blockedReason: string | null;
  held: (Pair & { project: string; cluster: string; reason: string; since: number })[];
  agents: { name: string; lastSeenAt: number; breaker: BreakerReport | null }[];
}

export interface BreakerDesk {
  load(): Promise<WebBreaker>;
  /** In one transaction. Answers those that were pending and are accepted now. */
  accept(input: { deletions: readonly Pair[]; by: string; reason: string }): Promise<Pair[]>;
  /** Lets these agents take the branch as it is now, though its history was rewritten. */
  acceptHeads(input: { clusters: readonly string[]; by: string; reason: string }): Promise<void>;
}

/** Whose token it is; null: nobody's. */
export type Authenticate = (token: string) => { name: string; scope: 'read' | 'operate' } | null;
