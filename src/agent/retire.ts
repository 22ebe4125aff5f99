import { type AppError, isAppError } from '../error/app-error.js';
import type { Diagnosis } from '../protocol/observations.js';
import type { Inventory } from './inventory.js';
import { marksOf, type PreviewIdentity } from './marks.js';
import { removalSteps } from './plan/apply-order.js';
import type { Blockers } from './teardown/blockers.js';
import { type TeardownDeps, tearDown } from './teardown/tear-down.js';

/** What the end of an incarnation needs from outside. */
export interface RetireDeps {
  cluster: TeardownDeps;
  removeInventory(inventory: Inventory, signal: AbortSignal): Promise<void>;
  /** It will be `rememberTornDown` before long: many that end together are written together. */
  expectTornDown(inventory: Inventory): void;
  /** Remembers for good that nothing at or below this incarnation is applied again. */
  rememberTornDown(inventory: Inventory, signal: AbortSignal): Promise<void>;
}

export interface RetireInput {
  installation: string;
  inventory: Inventory;
  /** Since when it is being torn down, as far as known; null: this is the first attempt. */
  since: number | null;
  timeoutMs: number;
  now: number;
  signal: AbortSignal;
}

export type Retirement =
  | { state: 'gone' }
  /** `diagnosis` says what blocks it, once it takes too long or needs a person; `error`: this step failed, and is tried again. */
  | { state: 'terminating'; since: number; diagnosis: Diagnosis | null; againMs: number; error: AppError | null };

/** The watch tells when the namespace is gone; this is for the case that it does not. */
const lookAgainMs = 15_000;

/** Of a step that failed. */
const retryMs = { first: 1_000, most: 60_000 };

/** Takes one condemned incarnation a step further towards its end; called until it is gone. */
export async function retire(deps: RetireDeps, input: RetireInput): Promise<Retirement> {
  try {
    return await takeStep(deps, input);
  } catch (error) {
    if (input.signal.aborted || !isAppError(error)) throw error;
    const since = input.since ?? input.now;
    const lastedMs = input.now - since;
    const pauseMs = Math.min(retryMs.most, Math.max(retryMs.first, lastedMs / 4)) * (0.5 + Math.random() / 2);
    const diagnosis = lastedMs >= input.timeoutMs ? refusedDiagnosis(input, error) : null;
    return { state: 'terminating', since, diagnosis, againMs: pauseMs, error };
  }
}

async function takeStep(deps: RetireDeps, input: RetireInput): Promise<Retirement> {
  const { inventory, signal, now, installation } = input;
  const identity = { installation, slug: inventory.slug, incarnation: inventory.incarnation };
  const result = await tearDown(deps.cluster, {
    identity,
    inventory,
    steps: removalSteps(inventory.objects),
    signal,
  });
  if (result.state === 'gone') {
    // In this order: a crash in between finds the inventory and does it again.
    await deps.rememberTornDown(inventory, signal);
    await deps.removeInventory(inventory, signal);
    return { state: 'gone' };
  }
  if (result.state === 'unmarked') {
    const diagnosis = unmarkedDiagnosis(inventory, identity);
    return { state: 'terminating', since: input.since ?? now, diagnosis, againMs: lookAgainMs, error: null };
  }
  deps.expectTornDown(inventory);
  const since = result.since ?? input.since ?? now;
  const late = now - since >= input.timeoutMs;
  const againMs = late ? lookAgainMs : Math.min(lookAgainMs, Math.max(500, since + input.timeoutMs - now));
  const diagnosis = late ? blockedDiagnosis(input, result.blockers) : null;
  return { state: 'terminating', since, diagnosis, againMs, error: null };
}

/** The API server does not do what is asked of it: rights that are missing, or an admission rule. */
function refusedDiagnosis({ inventory, timeoutMs }: RetireInput, error: AppError): Diagnosis {
  const minutes = Math.round(timeoutMs / 60_000);
  return {
    cause: 'timeout',
    object: `Namespace/${inventory.namespace}`,
    sentence: `Preview ${inventory.slug}: namespace ${inventory.namespace} cannot be torn down for more than ${minutes} min: ${error.publicMessage} Mayfly keeps trying.`,
    evidence: [],
  };
}

/** A person took it out of Mayfly's hands, knowingly or not; it does not go, nor is it forgotten, without another word. */
function unmarkedDiagnosis({ slug, namespace }: Inventory, identity: PreviewIdentity): Diagnosis {
  const marks = Object.entries(marksOf(identity)).map(([label, value]) => `${label}=${value}`);
  return {
    cause: 'apply',
    object: `Namespace/${namespace}`,
    sentence: `Preview ${slug}: namespace ${namespace} is not torn down: somebody removed or changed the labels by which Mayfly knows it, and what runs in it runs on. Put them back with \`kubectl label namespace ${namespace} --overwrite ${marks.join(' ')}\`, or delete the namespace by hand.`,
    evidence: [],
  };
}

function blockedDiagnosis(input: RetireInput, { why, finalizers, evidence }: Blockers): Diagnosis {
  const { slug, namespace } = input.inventory;
  const minutes = Math.round(input.timeoutMs / 60_000);
  const [finalizer] = finalizers;
  const help =
    finalizer === undefined
      ? 'Mayfly keeps trying.'
      : `Whoever set the finalizer must finish; Mayfly keeps trying and never removes one by itself. A person can: \`mayfly unblock ${slug} --finalizer ${finalizer}\`.`;
  return {
    cause: 'timeout',
    object: `Namespace/${namespace}`,
    sentence: `Preview ${slug}: namespace ${namespace} is still being deleted after ${minutes} min: ${why ?? 'the cluster does not say why.'} ${help}`,
    evidence: evidence.slice(0, 20),
  };
}
