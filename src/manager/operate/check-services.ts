import { type Check, failed, ok, warning } from './check-result.js';

/** The branch's repository. Errors are AppErrors in words for people. */
export interface BranchProbes {
  /** Commit of the branch; null when there is none yet. */
  head(signal: AbortSignal): Promise<string | null>;
  /** Asks for what a push asks first; resolves when the token may push. Nothing is written. */
  canPush(signal: AbortSignal): Promise<void>;
  /** Reads, checks and compiles a template; rejects with what is wrong with it. */
  loadTemplate(name: string, signal: AbortSignal): Promise<void>;
}

export interface DatabaseProbes {
  /** `pending`: migrations that the next start applies; `unknown`: those that this version does not have. */
  state(signal: AbortSignal): Promise<{ version: string; pending: string[]; unknown: string[] }>;
  /** Milliseconds since the epoch, of those that were ever heard of. */
  agents(signal: AbortSignal): Promise<{ name: string; lastSeenAt: number }[]>;
}

const silenceMs = 120_000;
const oldestDatabase = 14;

export function branchChecks(branch: BranchProbes, input: { name: string; templates: string[] }): Check[] {
  return [
    {
      name: `branch ${input.name}`,
      async run(signal) {
        const head = await branch.head(signal);
        return ok(
          head === null
            ? 'The repository is readable; the branch will be created.'
            : `Readable, at ${head.slice(0, 8)}.`,
        );
      },
    },
    {
      name: `writing ${input.name}`,
      async run(signal) {
        await branch.canPush(signal);
        return ok('The token may push. Whether a rule protects this branch shows at the first push.');
      },
    },
    ...input.templates.map((name) => ({
      name: `template ${name}`,
      async run(signal: AbortSignal) {
        await branch.loadTemplate(name, signal);
        return ok('It loads.');
      },
    })),
  ];
}

export function databaseChecks(database: DatabaseProbes): Check[] {
  return [
    {
      name: 'database',
      async run(signal) {
        const { version, pending, unknown } = await database.state(signal);
        if (Number.parseInt(version, 10) < oldestDatabase) {
          return failed(`It is PostgreSQL ${version}.`, `Use PostgreSQL ${oldestDatabase} or newer.`);
        }
        if (unknown.length > 0) {
          return failed(`A newer Mayfly has written it (it has ${unknown.join(', ')}).`, 'Start that version.');
        }
        const next = pending.length === 0 ? 'up to date' : `the next start applies ${pending.join(', ')}`;
        return ok(`PostgreSQL ${version}, ${next}.`);
      },
    },
  ];
}

export function agentCheck(database: DatabaseProbes, input: { name: string; now: number }): Check {
  return {
    name: `agent ${input.name}`,
    async run(signal) {
      const agent = (await database.agents(signal)).find((each) => each.name === input.name);
      if (agent === undefined) {
        return failed(
          'It was never heard of.',
          'Start `mayfly agent` in its cluster, with the same name and token in agent.yaml.',
        );
      }
      const silentMs = Math.max(0, input.now - agent.lastSeenAt);
      if (silentMs <= silenceMs) return ok(`Heard of ${Math.round(silentMs / 1_000)} s ago.`);
      const since = new Date(agent.lastSeenAt).toISOString();
      return warning(`Not heard of since ${since}.`, 'Look at its log, and whether it reaches `publicUrl`.');
    },
  };
}
