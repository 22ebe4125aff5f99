/**
 * Whether a preview that runs must sleep in the end, worked out from what was said and done and the clock alone. Written
 * without a line of src/preview, beside `oracle.ts`.
 */
export interface SleepState {
  createdAt: number;
  lastPushAt: number;
  lastReopenedAt: number | null;
  comments: { at: number; body: string }[];
  /** Removals and restorations of its file by people. */
  branchActs: { at: number }[];
  /** Its sha began to be deployed in this span; when exactly, only the manager knows. */
  deployed: { earliest: number; latest: number };
}

export interface SleepRules {
  afterMs: number | null;
  /** Hours of each day, UTC. */
  hours: { from: number; to: number } | null;
}

const hourMs = 3_600_000;

export function mustSleep(state: SleepState, rules: SleepRules, now: number): boolean | 'either' {
  const { earliest, latest } = state.deployed;
  const [first, last] = [sleepsFrom(state, rules, earliest, now), sleepsFrom(state, rules, latest, now)];
  return first === last ? first : 'either';
}

function sleepsFrom(state: SleepState, rules: SleepRules, deployedAt: number, now: number): boolean {
  const words = state.comments.filter(({ body }) => /^\/preview (?:sleep|wake|start|redeploy)$/.test(body));
  const word = words.at(-1);
  const stirredAt = Math.max(state.lastPushAt, state.lastReopenedAt ?? 0);
  if (word?.body === '/preview sleep' && stirredAt <= word.at) {
    return true;
  }
  const orders = state.comments.filter(({ body }) => /^\/preview (?!sleep|status|help)/.test(body));
  const times = [...orders, ...state.branchActs].map(({ at }) => at);
  const usedAt = Math.max(deployedAt, state.createdAt, stirredAt, ...times);
  if (rules.afterMs !== null && now >= usedAt + rules.afterMs) {
    return true;
  }
  if (rules.hours === null) {
    return false;
  }
  const hour = (now / hourMs) % 24;
  if (hour >= rules.hours.from && hour < rules.hours.to) {
    return false;
  }
  const sinceClosed = (hour - rules.hours.to + 24) % 24;
  const closedAt = now - sinceClosed * hourMs;
  return usedAt < closedAt || now >= usedAt + (rules.afterMs ?? hourMs);
}
