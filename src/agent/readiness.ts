import { isAppError } from '../error/app-error.js';
import { allowsExplained, type Guard } from './branch/guards.js';

/** One condition of being ready, for the platform; no reason holds an address or a secret. */
interface AgentCheck {
  name: string;
  /** Resolves to null when all is well, else to what is wrong and what to do. */
  run(signal: AbortSignal): Promise<string | null>;
  /** It is told, and does not make the agent unready. */
  isAdvice?: boolean;
}

/** What a running agent notes for its readiness. */
export interface ReadinessNotes {
  /** The way to the API server is open; `ask` rejects when the server does not answer. */
  connected(ask: (signal: AbortSignal) => Promise<void>): void;
  branchRead(guard: Guard): void;
  /** Of an `AppError`; anything else ends the agent. */
  branchFailed(code: string): void;
  /** null: the manager answered. */
  managerPolled(failureCode: string | null): void;
}

/** Longest age of the last look at the branch: a few are missed before it counts. */
const minFreshMs = 60_000;
const missedLooks = 4;

/**
 * Whether the agent does its work, and if not, why. Unready: it cannot read its branch, may not follow it, or the API
 * server does not answer, so that nothing is deployed. Mere advice: deletions that are held, and a manager that is
 * away, without which it works on. `now`: the clock, in milliseconds.
 */
export function createReadiness(options: { pollIntervalMs: number; hasManager: boolean; now: () => number }): {
  checks: readonly AgentCheck[];
  notes: ReadinessNotes;
} {
  const freshMs = Math.max(minFreshMs, missedLooks * options.pollIntervalMs);
  let ask: ((signal: AbortSignal) => Promise<void>) | null = null;
  let guard: Guard = null;
  let readAt: number | null = null;
  let branchFailure: string | null = null;
  let manager: 'unasked' | 'answers' | { code: string } = 'unasked';

  function branch(): string | null {
    if (!allowsExplained(guard)) return guardWords(guard);
    const ageMs = readAt === null ? null : options.now() - readAt;
    if (ageMs !== null && ageMs <= freshMs) return null;
    const age = ageMs === null ? '' : ` It was read last ${Math.round(ageMs / 1_000)} s ago.`;
    return `${branchFailure === null ? 'The branch is not read.' : branchWords(branchFailure)}${age}`;
  }

  const checks: AgentCheck[] = [
    { name: 'branch', run: async () => branch() },
    {
      name: 'cluster',
      run: async (signal) => (ask === null ? 'The agent is still starting.' : askCluster(ask, signal)),
    },
    { name: 'deletions', isAdvice: true, run: async () => (allowsExplained(guard) ? guardWords(guard) : null) },
  ];
  if (options.hasManager) {
    checks.push({ name: 'manager', isAdvice: true, run: async () => managerWords(manager) });
  }
  return {
    checks,
    notes: {
      connected: (how) => {
        ask = how;
      },
      branchRead(found) {
        guard = found;
        readAt = options.now();
        branchFailure = null;
      },
      branchFailed: (code) => {
        branchFailure = code;
      },
      managerPolled: (code) => {
        manager = code === null ? 'answers' : { code };
      },
    },
  };
}

async function askCluster(ask: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<string | null> {
  try {
    await ask(signal);
    return null;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.code === 'kube-unauthorized' || error.code === 'kube-forbidden'
      ? 'The Kubernetes API server refuses the agent. Check its ServiceAccount, or its kubeconfig.'
      : 'The Kubernetes API server does not answer as it should. What runs goes on; check the API server and the way to it.';
  }
}

function guardWords(guard: Guard): string | null {
  switch (guard) {
    case null:
      return null;
    case 'installation-missing':
      return 'The branch has no usable mayfly.yml, so nothing is applied. The manager writes it at its first start; if it was there before, bring it back.';
    case 'installation-changed':
      return 'mayfly.yml names another installation than the one that this agent follows, so nothing is applied. Correct `branch` in agent.yaml, or bring the file back.';
    case 'rewritten':
      return 'The branch was rewritten: its head does not descend from the last one that was applied, so nothing is applied. See `mayfly breaker show`.';
    case 'applications-missing':
    case 'all-files-gone':
      return 'No Application is left in the branch, and previews live. Only what the manager can explain is torn down. See `mayfly breaker show`.';
    default:
      return guard satisfies never;
  }
}

function branchWords(code: string): string {
  switch (code) {
    case 'git-unreachable':
      return 'The Git server of the branch does not answer; it is tried again. Check the server and the way to it.';
    case 'git-unauthorized':
      return 'The Git server refuses the token for the branch. Give `branch.token` in agent.yaml the right to read it.';
    case 'git-not-found':
      return 'The Git server has no such repository for this token. Check `branch` in agent.yaml.';
    default:
      return `The branch cannot be read (${code}); the log of the agent says more.`;
  }
}

function managerWords(manager: 'unasked' | 'answers' | { code: string }): string | null {
  if (manager === 'answers') return null;
  if (manager === 'unasked') return 'The manager was not spoken to yet.';
  const goesOn = 'Deployments go on; what is observed is kept until it can be told.';
  return manager.code === 'manager-unreachable'
    ? `The manager does not answer. ${goesOn} Check the manager and the way to it.`
    : `The manager refuses what the agent says (${manager.code}). ${goesOn} Check the token, and that both programs are of the same version.`;
}
