import type { Application } from '../../../src/application/application.js';
import type { ImageWait } from '../../../src/preview/decision.js';
import type { Observation, Wish } from '../../../src/preview/facts.js';
import type { Policy } from '../../../src/preview/policy.js';
import type { Preview } from '../../../src/preview/preview.js';
import type { KnownMergeRequest } from '../../../src/preview/reading.js';
import { createGitLab, type ModelGitLab } from './gitlab.js';
import type { Job } from './manager.js';

/** Mistakes that can be built into the model's loop on purpose, to see that the properties catch them. */
export const faults = [
  'drop-the-fence',
  'payload-wins',
  'tie-is-stale',
  'stale-slot',
  'unknown-is-closed',
  'any-revision-counts',
  'gate-of-another-sha',
  'image-of-another-sha',
  'approval-of-another-sha',
  'expiry-without-reading',
  'note-acts-twice',
  'gone-is-ignored',
  'warnings-are-forgotten',
  'ages-are-forgotten',
  'sleep-is-not-due',
  'slot-is-taken-away',
  'file-stays',
] as const;

export type Fault = (typeof faults)[number];

interface StoredWish extends Wish {
  subject: string;
  noteId: number | null;
}

export interface BranchFile {
  application: Application;
  text: string;
  incarnation: number;
  revision: string;
}

/** What the agent runs of one slug. */
interface Running {
  incarnation: number;
  revision: string;
  state: 'applying' | 'healthy' | 'suspended' | 'degraded' | 'terminating';
}

interface Report {
  slug: string;
  incarnation: number;
  observation: Observation;
}

/** Everything there is: GitLab, the manager's database, the branch, the cluster, and one clock. */
export interface World {
  now: number;
  policy: Policy;
  maxTotal: number;
  fault: Fault | null;
  gitlab: ModelGitLab;
  database: {
    known: Map<number, KnownMergeRequest>;
    askedAt: Map<number, number>;
    wishes: StoredWish[];
    /** `sha key`. */
    openGates: Set<string>;
    imageLooks: Set<ImageWait>;
    /** All incarnations, oldest first; the newest of a subject is its last. */
    rows: Preview[];
    needsCommit: Set<string>;
    observations: Map<string, Observation>;
    /** When each unexplained stop was decided, for the breaker. */
    unexplainedStops: number[];
    /** What was about to be pushed, until it is known to have been. */
    writes: Map<string, string | null>;
    everWritten: Set<string>;
    /** The text last seen in the branch for each slug. */
    seen: Map<string, string>;
    queue: Set<string>;
  };
  jobs: Job[];
  branch: Map<string, BranchFile>;
  removedByPerson: Map<string, BranchFile>;
  /** When each incarnation began, whatever its row says later. */
  born: Map<string, number>;
  /** Incarnations that ever held a slot. */
  placed: Set<string>;
  /** `slug incarnation end` of every warning that was ever decided. */
  warned: Set<string>;
  /** Incarnation and sha of everything that was ever pushed. */
  pushed: { slug: string; incarnation: number; sha: string; at: number }[];
  cluster: {
    running: Map<string, Running>;
    tornDown: Map<string, number>;
    /** `slug incarnation revision` of all that was ever healthy. */
    everHealthy: Set<string>;
    reports: Report[];
    last: Map<string, Report>;
  };
}

export const hourMs = 3_600_000;

export const basePolicy: Policy = {
  project: 'shop',
  nameTemplate: '{{project}}-{{iid}}',
  urlTemplate: 'https://{{slug}}.preview.example.com',
  cluster: 'default',
  namespacePrefix: 'preview-',
  follow: {
    labelsAny: [],
    labelsAll: [],
    labelsNone: ['no-preview'],
    targetBranches: ['main'],
    sourceBranches: ['*'],
    authorsAny: [],
    authorsNone: [],
    drafts: false,
    forks: 'never',
    optInLabel: null,
  },
  settable: {},
  gatePipeline: 'success',
  gateImages: [],
  gateApproval: 'none',
  ttlMs: 20 * hourMs,
  maxMs: 10_000 * hourMs,
  warnMs: 0,
  keepAfterMergeMs: 0,
  deployTimeoutMs: hourMs / 6,
  sleep: { afterMs: null, awake: null },
  maxPreviews: 20,
};

/** Every gate that there is. */
export const gatedPolicy: Policy = {
  ...basePolicy,
  gateImages: ['registry.example.com/acme/shop:{{sha}}'],
  gateApproval: 'member',
};

export function createWorld(policy: Policy, fault: Fault | null): World {
  return {
    now: 1_700_000_000_000,
    policy,
    maxTotal: 200,
    fault,
    gitlab: createGitLab({
      image: policy.gateImages.length > 0,
      approval: policy.gateApproval === 'member',
      forkApproval: policy.follow.forks === 'approved',
    }),
    database: {
      known: new Map(),
      askedAt: new Map(),
      wishes: [],
      openGates: new Set(),
      imageLooks: new Set(),
      rows: [],
      needsCommit: new Set(),
      observations: new Map(),
      unexplainedStops: [],
      writes: new Map(),
      everWritten: new Set(),
      seen: new Map(),
      queue: new Set(),
    },
    jobs: [],
    branch: new Map(),
    removedByPerson: new Map(),
    born: new Map(),
    placed: new Set(),
    warned: new Set(),
    pushed: [],
    cluster: {
      running: new Map(),
      tornDown: new Map(),
      everHealthy: new Set(),
      reports: [],
      last: new Map(),
    },
  };
}

export function subjectOf(iid: number): string {
  return `mr:7:${iid}`;
}

export function iidOf(subject: string): number {
  return Number(subject.split(':')[2]);
}

export function keyOf(row: { slug: string; incarnation: number }): string {
  return `${row.slug} ${row.incarnation}`;
}

export function newestRow(world: World, subject: string): Preview | null {
  return world.database.rows.findLast((row) => row.subject === subject) ?? null;
}
