import type { Hook } from './hook.js';

/** GitLab's own numbers: three failures are forgiven, the 40th ends it. */
const forgivenFailures = 3;
const finalFailures = 39;
const firstBackoffMs = 60_000;
const longestBackoffMs = 24 * 60 * 60_000;

export function isHookDisabled(hook: Hook, now: number): boolean {
  return hookAlertStatus(hook, now) !== 'executable';
}

export function hookAlertStatus(hook: Hook, now: number): 'executable' | 'temporarily_disabled' | 'disabled' {
  if (hook.recentFailures > finalFailures) return 'disabled';
  const backingOff = hook.recentFailures > forgivenFailures && hook.disabledUntil !== null && hook.disabledUntil >= now;
  return backingOff ? 'temporarily_disabled' : 'executable';
}

/** Counts a failure, with a doubling pause from the fourth on; a success forgives all. */
export function recordHookResult(hook: Hook, ok: boolean, now: number): void {
  if (ok) {
    hook.recentFailures = 0;
    hook.disabledUntil = null;
    return;
  }
  if (isHookDisabled(hook, now)) return;
  const backoffs = Math.max(0, hook.recentFailures - forgivenFailures);
  hook.recentFailures = Math.min(hook.recentFailures + 1, finalFailures + 1);
  if (hook.recentFailures > forgivenFailures) {
    hook.disabledUntil = now + Math.min(longestBackoffMs, firstBackoffMs * 2 ** backoffs);
  }
}
