import type { AwakeSchedule } from './awake-schedule.js';
import type { Settable } from './setting.js';

/** What the configuration says of one project's previews. Plain values; durations in milliseconds. */
export interface Policy {
  /** `name` of the project: part of every slug, fixed for life. */
  project: string;
  /** `preview.name`, such as `{{project}}-{{iid}}`. */
  nameTemplate: string;
  /** `preview.url`; null: previews have no link. */
  urlTemplate: string | null;
  cluster: string;
  /** Of the cluster's agent, such as `preview-`. */
  namespacePrefix: string;
  follow: {
    labelsAny: string[];
    labelsAll: string[];
    labelsNone: string[];
    /** Globs. */
    targetBranches: string[];
    sourceBranches: string[];
    /** User names; empty: no matter whose. */
    authorsAny: string[];
    authorsNone: string[];
    drafts: boolean;
    /** `approved`: each sha of a fork waits until a member approved it. */
    forks: 'never' | 'approved' | 'always';
    /** Only with this label, or when a member asked for it; null: everyone gets one. */
    optInLabel: string | null;
  };
  /** Keys of the template's values that `/preview set` may change. */
  settable: Settable;
  /** `jobs`: these alone must have succeeded. */
  gatePipeline: 'none' | 'success' | { jobs: string[] };
  /** Templates of images that must exist in their registries; see `renderImage`. */
  gateImages: string[];
  /** `member`: a member wrote `/preview approve` for this very sha. */
  gateApproval: 'none' | 'member';
  ttlMs: number;
  /** Longest life since its creation, however often it is used or extended. */
  maxMs: number;
  /** How long before its end a warning is told; 0: none. Shorter than `ttlMs`. */
  warnMs: number;
  /** How long it lives on after the merge; 0: it ends with it. */
  keepAfterMergeMs: number;
  deployTimeoutMs: number;
  sleep: SleepPolicy;
  /** Previews of this project that may hold a slot at once. */
  maxPreviews: number;
}

/** When previews sleep without anybody's order. */
export interface SleepPolicy {
  /** Asleep once nothing happened for so long; null: never for that. */
  afterMs: number | null;
  /** Asleep outside it; null: never for that. */
  awake: AwakeSchedule | null;
}

/** How full it is, counted under the locks of the slots; the row in question is not counted. */
export interface SlotUsage {
  /** Slots that the project's previews hold. */
  project: number;
  /** Slots that all projects' previews hold. */
  total: number;
  /** Of all projects together. */
  maxTotal: number;
  /** Previews of this project that joined the line before this one. */
  ahead: number;
  /** Previews of other projects that joined the line before this one and whose project has room; see `aheadElsewhere`. */
  aheadElsewhere: number;
}
