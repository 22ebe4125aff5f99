/** What is known of the URL of one revision. */
export interface ProbeState {
  revision: string;
  /** Since when the revision's objects are healthy, milliseconds since the epoch. */
  since: number;
  /** It answered as expected: no further probe is sent for this revision. */
  passed: boolean;
  /** It did not answer as expected in time; it is still asked, at a slow pace. */
  overdue: boolean;
  attempts: number;
  /** What happened last, in one sentence; null: nothing so far. */
  sentence: string | null;
  evidence: string[];
}

/** At first as often as a person would press reload; a starting Ingress needs a few seconds. */
const eagerMs = [500, 1_000, 2_000, 3_000, 5_000];
const patientMs = [30_000, 60_000, 300_000];

export function startProbe(revision: string, now: number): ProbeState {
  return { revision, since: now, passed: false, overdue: false, attempts: 0, sentence: null, evidence: [] };
}

/** The state after an attempt, and after how long the next one is due; null: none is. */
export function afterAttempt(
  state: ProbeState,
  attempt: { sentence: string | null; withinMs: number; now: number },
): { state: ProbeState; againMs: number | null } {
  const { sentence, withinMs, now } = attempt;
  if (sentence === null) {
    return { state: { ...state, passed: true, overdue: false, sentence: null, evidence: [] }, againMs: null };
  }
  const leftMs = state.since + withinMs - now;
  const overdue = state.overdue || leftMs <= 0;
  // What comes after the time is over is counted from there.
  const attempts = overdue && !state.overdue ? 1 : state.attempts + 1;
  const pace = overdue ? patientMs : eagerMs;
  const pauseMs = pace[Math.min(attempts, pace.length) - 1] ?? 0;
  return {
    state: { ...state, overdue, attempts, sentence },
    // The last attempt in time is made at its very end.
    againMs: overdue ? pauseMs : Math.min(pauseMs, leftMs),
  };
}
