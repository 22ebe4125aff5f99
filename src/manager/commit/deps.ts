import type { DecisionEvent } from '../../preview/decision.js';
import type { MergeRequestFacts } from '../../preview/facts.js';
import type { Preview } from '../../preview/preview.js';
import type { FollowUp } from './follow-up.js';
import type { InstallationState } from './installation.js';
import type { FileRow, ReadFileResult } from './read-file.js';

/** The branch at one moment. */
export interface BranchView {
  head: string | null;
  installationFile: string | null;
  /** Blobs by file name. */
  files: ReadonlyMap<string, string>;
  templates: ReadonlyMap<string, string>;
}

interface CommitPlan {
  files: Array<{ path: string; text: string | null }>;
  message: string;
}

type PublishResult<View> =
  | { outcome: 'published'; view: View; head: string | null; commits: Array<string | null> }
  | { outcome: 'raced' }
  | { outcome: 'refused'; words: string };

/** Reads the branch. */
export interface BranchReader<View extends BranchView> {
  look(options: { maxAgeMs: number; signal?: AbortSignal }): Promise<View>;
  changesSince(
    view: View,
    from: string | null,
    signal?: AbortSignal,
  ): Promise<{
    descends: boolean;
    /** The earlier state is not here any more: every file is listed, and an absent one is not. */
    isWhole: boolean;
    commits: Array<{ message: string; author: { name: string } }>;
    files: Map<string, { blob: string | null; by: string }>;
  }>;
  findCommit(
    view: View,
    matches: (commit: { message: string }) => boolean,
    signal?: AbortSignal,
  ): Promise<{ message: string } | null>;
  readText(blob: string): Promise<string>;
}

/** Writes the branch. */
export interface BranchPublisher<View extends BranchView> {
  publish(view: View, plans: CommitPlan[], signal?: AbortSignal): Promise<PublishResult<View>>;
  /** Name that Git gives to a file's content. */
  blobOf(text: string): string;
}

/** Reads the installation, and records what becomes of it. */
export interface InstallationStore {
  load(): Promise<InstallationState | null>;
  create(id: string): Promise<void>;
  /** null: nothing is in the way any more. */
  block(reason: string | null): Promise<void>;
}

/** One transaction: what is known of these files is loaded, locked, given to `judge`, and the result is saved. */
export interface ReadBackStore {
  readBack(input: {
    slugs: string[];
    /** All files that should stand in the branch as well. */
    all: boolean;
    head: string;
    notice: string | null;
    judge(
      known: Array<{ slug: string; row: FileRow | null; writes: Array<{ blob: string | null; generation: number }> }>,
      now: number,
    ): Promise<{ results: ReadFileResult[]; followUps: FollowUp[] }>;
  }): Promise<void>;
}

/** A row whose file may differ from it. */
export interface BatchRow extends FileRow {
  facts: MergeRequestFacts | null;
  /** Why the template gives no file for it, though an earlier one stays deployed; null: it does. */
  templateProblem: string | null;
  isSucceeded: boolean;
}

interface RowKey {
  slug: string;
  incarnation: number;
}

/** A row whose file stays as it is. */
export interface SettledRow extends RowKey {
  version: number;
  events: DecisionEvent[];
  /** What was tried to make the file with; null: it was not rendered, and what is known of that stays. */
  rendered: { with: string | null; problem: string | null } | null;
}

/** Reads and marks the rows that wait for the branch. */
export interface RowStore {
  load(limit: number): Promise<{ installation: InstallationState | null; rows: BatchRow[]; now: number }>;
  /** Before a push; the rows that are as they were loaded, or null: the installation is not. */
  begin(write: {
    installation: string;
    generation: number;
    branchHead: string | null;
    rows: Array<{ preview: Preview; events: DecisionEvent[]; blob: string | null }>;
  }): Promise<RowKey[] | null>;
  finish(write: {
    generation: number;
    head: string;
    rows: Array<
      RowKey & {
        version: number;
        blob: string | null;
        commit: string | null;
        subject: string;
        renderedWith: string | null;
      }
    >;
    followUps: FollowUp[];
  }): Promise<void>;
  fail(
    rows: Array<{ preview: Preview; events: DecisionEvent[]; retryMs: number | null; renderedWith: string | null }>,
    followUps: FollowUp[],
  ): Promise<void>;
  settle(rows: SettledRow[], followUps: FollowUp[]): Promise<void>;
  hasPending(): Promise<boolean>;
  /** Has all that wait for the branch told how they are. */
  tellPending(): Promise<void>;
}
