import type { AppError } from '../error/app-error.js';
import type { Diagnosis } from '../protocol/observations.js';
import { displayName } from './manifest.js';
import type { Problem } from './preview-state.js';
import type { Waiting } from './run-stages.js';

/** Delay before each further attempt: quick at first, then patient. */
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;
/** While something else must happen first; a watch usually tells sooner. */
const waitMs = 5_000;
/** When a person must act: what they do outside Git, such as a raised quota, is noticed at least this late. */
const stallMs = 180_000;
/** Where what stands in the way is nothing that the agent watches, and goes without a word. */
const unseenMs = 30_000;

/** What no push mends: an operator has to change the cluster or a configuration. */
const operatorCodes: ReadonlySet<string> = new Set([
  'namespace-foreign',
  'secret-refused',
  'secret-missing',
  'secrets-unseen',
  'source-refused',
  'source-denied',
  'source-program-missing',
  'git-unauthorized',
  'kube-unauthorized',
]);

export interface Failure {
  problem: Problem;
  /** After how long it is tried again. */
  retryMs: number;
}

/** What a failed attempt means: what is told, and when the next one is. `random` is within 0 and 1, for the jitter. */
export function describeFailure(error: AppError, revision: string, failures: number, random: number): Failure {
  const cause = causeOf(error);
  const refused = cause === 'fence' || cause === 'source' ? 'refused' : 'degraded';
  return {
    problem: {
      revision,
      state: error.disposition === 'stall' ? refused : 'applying',
      diagnosis: {
        cause,
        object: typeof error.data.object === 'string' ? error.data.object : null,
        sentence: error.publicMessage,
        evidence: evidenceOf(error),
        ...logsOf(error),
        ...(operatorCodes.has(error.code) ? { mender: 'operator' as const } : {}),
      },
    },
    retryMs: retryMs(error, failures, random),
  };
}

/** What is told while a revision is applied in part, and the rest waits for objects or hooks. */
export function describeWaiting(waiting: Waiting, slug: string, revision: string): Problem {
  const { objects, what } = waiting;
  const [blamed] = [...objects].sort((a, b) => Number(b.health === 'Degraded') - Number(a.health === 'Degraded'));
  const named = blamed === undefined ? 'what was applied' : displayName(blamed);
  const more = objects.length > 1 ? ` and ${objects.length - 1} more` : '';
  const how = blamed?.message ? `${blamed.health}: ${blamed.message}` : (blamed?.health ?? 'Progressing');
  const sentence =
    what === 'hook'
      ? `Preview ${slug}: the hook ${named}${more} runs; what comes after it is applied when it has succeeded.`
      : `Preview ${slug} waits for ${named}${more} (${how}): the next wave is applied when it is healthy.`;
  return {
    revision,
    state: blamed?.health === 'Degraded' ? 'degraded' : 'applying',
    diagnosis: { cause: 'health', object: blamed === undefined ? null : named, sentence, evidence: [] },
  };
}

function causeOf(error: AppError): Diagnosis['cause'] {
  if (error.code === 'fence-refused') return 'fence';
  if (error.code === 'hook-failed') return 'health';
  return /^(source|git|sync)-/.test(error.code) ? 'source' : 'apply';
}

function retryMs(error: AppError, failures: number, random: number): number {
  switch (error.disposition) {
    case 'retry':
      return Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(failures, 10)) * (0.5 + random / 2);
    case 'wait':
      return waitMs * (0.5 + random / 2);
    case 'stall':
      return (error.code === 'namespace-foreign' ? unseenMs : stallMs) * (0.5 + random / 2);
    default:
      return error.disposition satisfies never;
  }
}

/** What a failed hook printed last. */
function logsOf({ data }: AppError): { logs?: string[] } {
  const logs = Array.isArray(data.logs) ? data.logs.filter((line) => typeof line === 'string') : [];
  return logs.length > 0 ? { logs } : {};
}

function evidenceOf(error: AppError): string[] {
  const { refusals, evidence } = error.data;
  if (Array.isArray(evidence)) return evidence.filter((line) => typeof line === 'string');
  if (!Array.isArray(refusals)) return [];
  return refusals.map(({ object, reason }: { object: string; reason: string }) => `${object}: ${reason}`);
}
