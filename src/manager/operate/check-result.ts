import { isAppError } from '../../error/app-error.js';

/** What became of one check. `warning` is worth a look and no reason to fail; `skipped` could not be tried. */
type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

export interface CheckResult {
  /** What was tried, such as `webhook of acme/shop`. */
  name: string;
  status: CheckStatus;
  /** What was found: one sentence, without a secret. */
  found: string;
  /** What to do; null when nothing is. */
  advice: string | null;
}

/** One check; a thrown AppError is a failure in its own words. */
export interface Check {
  name: string;
  run(signal: AbortSignal): Promise<Omit<CheckResult, 'name'>>;
}

export function ok(found: string): Omit<CheckResult, 'name'> {
  return { status: 'ok', found, advice: null };
}

export function failed(found: string, advice: string): Omit<CheckResult, 'name'> {
  return { status: 'failed', found, advice };
}

export function warning(found: string, advice: string): Omit<CheckResult, 'name'> {
  return { status: 'warning', found, advice };
}

export function skipped(found: string): Omit<CheckResult, 'name'> {
  return { status: 'skipped', found, advice: null };
}

/** Runs one check in at most `timeoutMs`. Never rejects. */
export async function runCheck(
  check: Check,
  options: { timeoutMs: number; signal: AbortSignal; advice: string },
): Promise<CheckResult> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([timeout, options.signal]);
  const late = new Promise<Omit<CheckResult, 'name'>>((resolve) => {
    const found = () => failed(`No answer within ${options.timeoutMs / 1_000} s.`, options.advice);
    signal.addEventListener('abort', () => resolve(options.signal.aborted ? skipped('Given up.') : found()), {
      once: true,
    });
  });
  const outcome = check.run(signal).catch((error: unknown) => failed(sentenceOf(error), options.advice));
  return { name: check.name, ...(await Promise.race([outcome, late])) };
}

/** An error for a person. One that was not meant for people is told by its code or kind alone: its text may quote a secret. */
function sentenceOf(error: unknown): string {
  if (isAppError(error)) return error.publicMessage;
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const kind = typeof code === 'string' ? code : error instanceof Error ? error.name : 'an unknown error';
  return `It failed (${kind}).`;
}

const marks: Record<CheckStatus, string> = { ok: '✓', warning: '!', failed: '✗', skipped: '-' };

/** `✗ webhook of acme/shop: There is none. Add one …` */
export function formatResult(result: CheckResult): string {
  const advice = result.advice === null ? '' : ` ${result.advice}`;
  return `${marks[result.status]} ${result.name}: ${result.found}${advice}`;
}
