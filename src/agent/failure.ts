import type { AppError } from '../error/app-error.js';
import type { Diagnosis } from '../protocol/observations.js';
import type { Problem } from './preview-state.js';

/** Delay before each further attempt: quick at first, then patient. */
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;
/** While something else must happen first; a watch usually tells sooner. */
const waitMs = 5_000;
/** When a person must act: what they do outside Git, such as a raised quota, is noticed this late. */
const stallMs = 180_000;

export interface Failure {
  problem: Problem;
  /** After how long it is tried again. */
  retryMs: number;
}

/** What a failed attempt means: what is told, and when the next one is. `random` is within 0 and 1, for the jitter. */
export function describeFailure(error: AppError, revision: string, failures: number, random: number): Failure {
  const cause = causeOf(error);
  const refused = cause === 'apply' ? 'degraded' : 'refused';
  return {
    problem: {
      revision,
      state: error.disposition === 'stall' ? refused : 'applying',
      diagnosis: {
        cause,
        object: typeof error.data.object === 'string' ? error.data.object : null,
        sentence: error.publicMessage,
        evidence: evidenceOf(error),
      },
    },
    retryMs: retryMs(error, failures, random),
  };
}

function causeOf(error: AppError): Diagnosis['cause'] {
  if (error.code === 'fence-refused') return 'fence';
  return /^(source|git)-/.test(error.code) ? 'source' : 'apply';
}

function retryMs(error: AppError, failures: number, random: number): number {
  switch (error.disposition) {
    case 'retry':
      return Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(failures, 10)) * (0.5 + random / 2);
    case 'wait':
      return waitMs;
    case 'stall':
      return stallMs;
    default:
      return error.disposition satisfies never;
  }
}

function evidenceOf(error: AppError): string[] {
  const { refusals } = error.data;
  if (!Array.isArray(refusals)) return [];
  return refusals.map(({ object, reason }: { object: string; reason: string }) => `${object}: ${reason}`);
}
