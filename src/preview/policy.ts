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
    labelsNone: string[];
    /** Globs. */
    targetBranches: string[];
    sourceBranches: string[];
    authorsNone: string[];
    drafts: boolean;
    forks: 'never' | 'always';
  };
  gatePipeline: 'none' | 'success';
  ttlMs: number;
  deployTimeoutMs: number;
  /** Previews of this project that may hold a slot at once. */
  maxPreviews: number;
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
