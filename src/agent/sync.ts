import type { Diagnosis, ObservedObject } from '../protocol/observations.js';
import type { RecreateDeps } from './apply/recreate-object.js';
import type { StartHookDeps } from './hooks/start-hook.js';
import type { Ledger } from './ledger.js';
import type { LiveObject } from './live/live-objects.js';
import type { Manifest } from './manifest.js';
import type { PreviewIdentity } from './marks.js';
import type { DesiredItem } from './plan/desired-item.js';
import type { ExamineDeps, Verdict } from './plan/examine.js';
import type { Plan } from './plan/make-plan.js';
import type { PruneDeps } from './prune/prune-objects.js';

/** Finds out from its pods why an object failed; null: they do not say. */
type Diagnose = (input: {
  namespace: string;
  unwell: readonly ObservedObject[];
  signal: AbortSignal;
}) => Promise<{ diagnosis: Diagnosis } | null>;

/** One run towards a revision: what its steps share. */
export interface Sync {
  identity: PreviewIdentity;
  pair: { slug: string; incarnation: number };
  revision: string;
  isAsleep: boolean;
  /** Whether a stage waits for the one before it: not where only drift is repaired, for all was healthy once. */
  isGated: boolean;
  plan: Plan;
  /** What the API server said of objects before anything was written. */
  verdicts: ReadonlyMap<DesiredItem, Verdict>;
  ledger: Ledger;
  cluster: ExamineDeps & RecreateDeps & StartHookDeps & PruneDeps;
  live: {
    of(pair: { slug: string; incarnation: number }): ReadonlyMap<string, LiveObject>;
    record(object: Manifest): void;
  };
  diagnose: Diagnose;
  /** Something was written to the cluster. */
  noteWrite(): void;
  signal: AbortSignal;
}
