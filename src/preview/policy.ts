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
  project: number;
  total: number;
  /** Of all projects together. */
  maxTotal: number;
  /** Waiters of this project, or of all when the total is the bound, that came before this one. */
  ahead: number;
}
