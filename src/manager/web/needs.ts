import type { HeldStop, Member, Phase, Preview } from '../../preview/preview.js';
import type { Settable, SetValue } from '../../preview/setting.js';
import type { WishKind } from '../../preview/wish-kind.js';
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
  /** Why the present template gives no file for it, though an earlier file stays deployed; null: it does. */
  templateProblem: string | null;
  cluster: string;
  namespace: string;
  url: string | null;
  edited: Preview['edited'];
  heldStop: HeldStop | null;
  /** Its agent touches nothing of it, on a person's word; null: it does. */
  paused: { scope: 'agent' | 'project' | 'preview' | 'namespace'; by: string | null } | null;
  unknownSince: number | null;
  createdAt: number;
  readyAt: number | null;
  /** null: it is pinned. */
  expiresAt: number | null;
  pinnedBy: string | null;
  /** Its place among those who wait for a slot, from 1; null: it does not. */
  line: { place: number; length: number } | null;
  stoppedAt: number | null;
  stopReason: Preview['stopReason'];
  stoppedBy: string | null;
  members: WebMember[];
}

export interface WebMember extends Member {
  mergeRequest: { title: string; webUrl: string; sourceBranch: string; author: string } | null;
  /** Images that `next` waits for; `lookedAt` null: nobody has looked yet. */
  images: { image: string; lookedAt: number | null; detail: string | null }[];
}

export interface WebPreviewDetail extends WebPreview {
  wantedRevision: string | null;
  deployedRevision: string | null;
  lastActivityAt: number;
  /** Since when it waits, or is being deployed; null: it does not. */
  waitingSince: number | null;
  deployingSince: number | null;
  /** One sentence on why it was stopped; null: the reason says it all. */
  stopDetail: string | null;
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
  kind: WishKind;
  /** For `extend`; null: the configured TTL. */
  amountMs: number | null;
  /** The whole sha of an approval, the key and the value of a setting. */
  detail: { sha?: string; key?: string; value?: SetValue } | null;
  /** The order as the history tells it. */
  text: string;
  by: string;
}) => Promise<{ outcome: 'given' | 'unfit'; phase: Phase; incarnation: number } | { outcome: 'unknown' }>;

/** What may be set in the previews of a project, by its name. */
export type SettableOf = (project: string) => Settable;

export interface Pair {
  slug: string;
  incarnation: number;
}

/** What concerns every preview, in a sentence, and since when. */
export interface Trouble {
  text: string;
  since: number;
}

/** What stands still until a person looks. */
export interface WebBreaker {
  blockedReason: string | null;
  /** What a person should know though writing goes on; null: nothing. */
  notice: { text: string; since: number } | null;
  /** What is wrong with the way to GitLab; null or absent: nothing. */
  gitlab?: Trouble | null;
  held: (Pair & { project: string; cluster: string; reason: string; since: number })[];
  agents: { name: string; lastSeenAt: number; breaker: BreakerReport | null }[];
}

export interface BreakerDesk {
  load(): Promise<WebBreaker>;
  /** In one transaction. Answers those that were pending and are accepted now. */
  accept(input: { deletions: readonly Pair[]; by: string; reason: string }): Promise<Pair[]>;
  /** Lets these agents take the branch as it is now, though its history was rewritten, and ends the notice of it. */
  acceptHeads(input: { clusters: readonly string[]; by: string; reason: string }): Promise<void>;
}

/** A namespace of this installation that nothing will ever remove by itself. */
interface WebOrphan {
  cluster: string;
  namespace: string;
  slug: string | null;
  incarnation: number | null;
  removing: boolean;
}

/** Orders of people to agents. Each is recorded with who gave it. */
export interface AgentDesk {
  /** `project` null: all; `unknown`: what of the input no configuration and no row has. */
  pause(input: {
    kind: 'pause' | 'resume';
    scope: { slug: string } | { project: string } | { agent: string } | 'all';
    by: string;
  }): Promise<{ agents: string[]; previews: number } | { unknown: string }>;
  orphans(): Promise<WebOrphan[]>;
  /** Answers those that are being removed now; none: there is no such orphan. */
  removeOrphans(input: { slug: string; incarnation: number | null; by: string }): Promise<WebOrphan[]>;
  unblock(input: {
    slug: string;
    finalizer: string;
    by: string;
  }): Promise<
    | { outcome: 'given'; incarnation: number; cluster: string }
    | { outcome: 'unfit'; phase: Phase }
    | { outcome: 'unknown' }
  >;
  forget(input: {
    slug: string;
    by: string;
  }): Promise<
    | { outcome: 'given'; incarnation: number; cluster: string }
    | { outcome: 'alive'; cluster: string; silentMs: number }
    | { outcome: 'unknown' }
  >;
}

/** What would be committed for a merge request. */
export interface Rendered {
  slug: string;
  incarnation: number;
  /** null: no preview of it lives, and this would be its next one. */
  phase: Phase | null;
  /** Of the file in the branch. */
  path: string;
  text: string;
  revision: string;
  url: string | null;
  /** What stands there now; null: nothing. */
  current: string | null;
  outcome: 'new' | 'same' | 'differs' | 'edited';
}

/** Renders without writing, and runs the template sweep. */
export interface RenderDesk {
  /** Errors: `no-such-project`, `no-such-merge-request`, and those of the template, each with a status. */
  render(input: {
    project: string;
    iid: number;
    trial: { template: string | null; values: Record<string, unknown> } | null;
  }): Promise<Rendered>;
  /** What the sweep would render again, and what would come of it; `more`: there are others. */
  rehearse(): Promise<{
    previews: { slug: string; outcome: Rendered['outcome'] | 'fails'; reason: string | null }[];
    more: boolean;
  }>;
  /** Runs it now; how many are to be rendered again, and how many of them at once. */
  sweep(): Promise<{ count: number; atOnce: number }>;
}

/** Whose token it is; null: nobody's. */
export type Authenticate = (token: string) => { name: string; scope: 'read' | 'operate' } | null;
