import { type Check, failed, ok, skipped, warning } from './check-result.js';

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
  /** It is the embedded one, and no manager runs it now: nothing can be asked, and nothing is wrong. */
  isAsleep: boolean;
  /** `pending`: migrations that the next start applies; `unknown`: those that this version does not have. */
  state(signal: AbortSignal): Promise<{ version: string; pending: string[]; unknown: string[] }>;
  /** Milliseconds since the epoch, of those that were ever heard of. */
  agents(signal: AbortSignal): Promise<{ name: string; lastSeenAt: number }[]>;
}

const silenceMs = 120_000;
const oldestDatabase = 14;

export function branchChecks(branch: BranchProbes, input: { name: string; templates: string[] }): Check[] {
  let reading: Promise<string | null> | undefined;
  const head = (signal: AbortSignal) => {
    reading ??= branch.head(signal);
    return reading;
  };
  return [
    {
      name: `branch ${input.name}`,
      async run(signal) {
        const commit = await head(signal);
        return ok(
          commit === null
            ? 'The repository is readable; the branch will be created.'
            : `Readable, at ${commit.slice(0, 8)}.`,
        );
      },
    },
    onceReadable(`writing ${input.name}`, head, async (signal) => {
      await branch.canPush(signal);
      return ok('The token may push. Whether a rule protects this branch shows at the first push.');
    }),
    ...input.templates.map((name) =>
      onceReadable(`template ${name}`, head, async (signal) => {
        await branch.loadTemplate(name, signal);
        return ok('It loads.');
      }),
    ),
  ];
}

/** That the repository cannot be read is told once, by its own check. */
function onceReadable(name: string, head: (signal: AbortSignal) => Promise<string | null>, run: Check['run']): Check {
  return {
    name,
    async run(signal) {
      const isReadable = await head(signal).then(
        () => true,
        () => false,
      );
      return isReadable ? run(signal) : skipped('Not known while the repository cannot be read.');
    },
  };
}

export function databaseChecks(database: DatabaseProbes): Check[] {
  return [
    {
      name: 'database',
      async run(signal) {
        if (database.isAsleep) return skipped('The embedded one, which runs while `mayfly serve` does.');
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
