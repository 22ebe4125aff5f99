/**
 * The row: one incarnation of one preview, as the manager keeps it. It is intent; the file in Git, the note and the
 * commit status are projections of it.
 */

import type { SetValue } from './setting.js';
import type { WishKind } from './wish-kind.js';

/** Milliseconds since the epoch, UTC. */
export type Instant = number;

export type Phase = 'waiting' | 'deploying' | 'ready' | 'failed' | 'asleep' | 'stopping' | 'stopped';

/**
 * What a waiting preview, or the next sha of a member, waits for. `project`: GitLab has never shown one of the projects
 * that are linked.
 */
export type WaitingFor = 'pipeline' | 'image' | 'approval' | 'slot' | 'project';

/** Why a preview failed. */
export type Cause = 'template' | 'push' | 'fence' | 'source' | 'apply' | 'health' | 'timeout';

/** Why an incarnation ended. */
export type StopReason = 'merged' | 'closed' | 'expired' | 'command' | 'operator' | 'label' | 'git' | 'unfollowed';

/** A sha that is wanted and may not be deployed yet. */
export interface NextSha {
  sha: string;
  waitingFor: WaitingFor;
  since: Instant;
  /** A sentence for the note, such as the failed job's name; null while there is nothing more to say. */
  detail: string | null;
  /** GitLab's page of what `detail` speaks of; null: there is none. */
  link: string | null;
  /** It stays closed until somebody acts: the job is run again, or something new is pushed. */
  stuck: boolean;
}

export interface Member {
  /** GitLab's numeric project id. */
  projectId: number;
  /** The merge request; null for a baseline member of a group. */
  iid: number | null;
  /** The sha that the file asks for; null before the first gate opened. */
  wantedSha: string | null;
  /** The sha that was last reported healthy. */
  deployedSha: string | null;
  /** The newest sha, while it may not be deployed yet. */
  next: NextSha | null;
  /** Of a baseline member: the target branch that its shas are of. Absent of a merge request. */
  branch?: string;
  /** Of a linked preview: `wantedSha` is what somebody pushed to a fork. Absent: it is not. */
  fork?: true;
}

/** A stop that the breaker holds back. */
export interface HeldStop {
  reason: StopReason;
  since: Instant;
}

/** Why a preview sleeps, or woke: an order, nothing or something that happened, or the hours that the configuration names. */
export type SleepCause = 'order' | 'idle' | 'activity' | 'schedule';

export interface Preview {
  /** Name of the file, the namespace and the URL. Unique while not stopped. */
  slug: string;
  /** 1 for the first life of a slug, one more for each that follows. */
  incarnation: number;
  /** `mr:<project id>:<iid>` or `group:<name>:<source branch>`; unique while not stopped. */
  subject: string;
  /** `name` of the project in the configuration; of a linked preview that of its group. */
  project: string;
  /** Name of the agent that runs it (`spec.destination.name`). */
  cluster: string;
  namespace: string;
  /** Where it can be opened; null when the configuration has no `url`. */
  url: string | null;
  members: Member[];
  phase: Phase;
  waitingFor: WaitingFor | null;
  /** When it joined its line or began to wait; first come, first served. */
  waitingSince: Instant | null;
  cause: Cause | null;
  /** One sentence on why it failed, from the template, the hook or the cluster; an outsider's text. */
  message: string | null;
  /** Fingerprint of the file that Git should hold; null until it was rendered for the present wish. */
  wantedRevision: string | null;
  /** Fingerprint that was last reported healthy. */
  deployedRevision: string | null;
  /** Rises with every saved change. */
  version: number;
  /** A person edited the file; `refused` when the edit touched what nobody may edit. */
  edited: 'edited' | 'refused' | null;
  heldStop: HeldStop | null;
  /** Since when GitLab cannot say whether the merge request still lives. */
  unknownSince: Instant | null;
  /** GitLab's time of the newest push, reopening or accepted command. */
  lastActivityAt: Instant;
  /** When it ends by itself; of a pinned one, when it would if it were not. */
  expiresAt: Instant;
  createdAt: Instant;
  /** Since when the present revision is being deployed; what `deployTimeout` counts from. */
  deployingSince: Instant | null;
  /** When it was first ready. */
  readyAt: Instant | null;
  /** When the stop was decided; by GitLab's clock where GitLab knows it (closed_at, a command's created_at). */
  stoppedAt: Instant | null;
  stopReason: StopReason | null;
  /** User name of who stopped it, or of who merged or closed the merge request; null: nobody, or not known. */
  stoppedBy: string | null;
  /** One sentence on why, such as the filter that refused it; null: the reason says it all. */
  stopDetail: string | null;
  /** What people set with `/preview set`; laid over the configured values. */
  setValues: Record<string, SetValue>;
  /** Time of the newest order to redeploy that was carried out, as the order has it; null: none. */
  redeployedAt: Instant | null;
  /** Its file is to declare it asleep; see `applySleep`. */
  wantAsleep: boolean;
  /** Why it sleeps, or why it woke while its file is still to be written; null: neither. */
  sleepCause: SleepCause | null;
  /** Time of the newest order to sleep or to wake that was carried out, as the order has it; null: none. */
  sleepOrderedAt: Instant | null;
  /** When its newest sha began to be deployed; null: none ever did. */
  shaSince: Instant | null;
  /** When the clock may make it fall asleep or wake; null: it does neither. */
  sleepDueAt: Instant | null;
  /** The order that the file now to be written rests on; null: none, such as a push. */
  ordered: { kind: WishKind; by: string } | null;
  /** User name of who pinned it, so that it does not expire; null: nobody. */
  pinnedBy: string | null;
  /** When its author is to be warned of its end; null: was warned already, or is not to be. */
  warnAt: Instant | null;
  /** When it was decided to warn of the end at `warnedFor`; both null: of none. */
  warnedAt: Instant | null;
  warnedFor: Instant | null;
}
