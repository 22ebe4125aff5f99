/** One ReplicaSet of a Deployment, in numbers. */
export interface SetCount {
  wished: number;
  available: number;
}

export interface RolloutLimits {
  replicas: number;
  /** Pods above `replicas` that may exist meanwhile. */
  surge: number;
  /** Pods below `replicas` that may be missing meanwhile. */
  unavailable: number;
}

/** Reads maxSurge and maxUnavailable, whole numbers or percent; together they must leave room for a step. */
export function rolloutLimits(replicas: number, maxSurge: unknown, maxUnavailable: unknown): RolloutLimits {
  const surge = resolve(maxSurge ?? '25%', replicas, Math.ceil);
  const unavailable = resolve(maxUnavailable ?? '25%', replicas, Math.floor);
  return { replicas, surge, unavailable: surge === 0 && unavailable === 0 ? 1 : Math.min(unavailable, replicas) };
}

function resolve(value: unknown, replicas: number, round: (n: number) => number): number {
  if (typeof value === 'number') return value;
  return round((Number(String(value).replace('%', '')) * replicas) / 100);
}

/** The next step of a rolling update: how many pods the new set and each old one should have. */
export function nextStep(
  limits: RolloutLimits,
  fresh: SetCount,
  old: readonly SetCount[],
): { fresh: number; old: number[] } {
  const { replicas, surge, unavailable } = limits;
  const total = fresh.wished + sum(old.map((set) => set.wished));
  const room = Math.max(0, replicas + surge - total);
  const grown = fresh.wished > replicas ? replicas : Math.min(replicas, fresh.wished + room);

  const minimum = replicas - unavailable;
  let removable = total - minimum - Math.max(0, fresh.wished - fresh.available);
  const wished = old.map((set) => set.wished);
  // First what serves nobody, then healthy ones as far as the minimum allows.
  old.forEach((set, i) => {
    const broken = Math.min(set.wished - Math.min(set.available, set.wished), Math.max(0, removable));
    wished[i] = set.wished - broken;
    removable -= broken;
  });
  let spare = Math.max(0, fresh.available + sum(old.map((set) => set.available)) - minimum);
  old.forEach((_, i) => {
    const left = wished[i] ?? 0;
    const drop = Math.min(left, spare, Math.max(0, removable));
    wished[i] = left - drop;
    spare -= drop;
    removable -= drop;
  });
  return { fresh: grown, old: wished };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
