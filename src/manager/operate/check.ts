import type { ManagerConfig } from '../../config/manager-config.js';
import { type GitLabReads, gitlabChecks, projectChecks } from './check-gitlab.js';
import { type Check, type CheckResult, formatResult, runCheck } from './check-result.js';
import { secretChecks } from './check-secrets.js';
import { agentCheck, type BranchProbes, branchChecks, type DatabaseProbes, databaseChecks } from './check-services.js';
import { formatPlan, type Plan } from './plan-change.js';

export interface CheckDeps {
  gitlab: GitLabReads;
  branch: BranchProbes;
  database: DatabaseProbes;
  /** What the configuration would start and stop, by the ids of its projects; rejects when the database is away. */
  plan(projectIds: ReadonlyMap<number, string>, signal: AbortSignal): Promise<Plan>;
  /** One line for a person. */
  print(line: string): void;
  /** Milliseconds since the epoch. */
  now: number;
}

const timeoutMs = 20_000;

/**
 * `mayfly check`: tries every service of a configuration, changes nothing, and prints one line a check with what was
 * found and what to do. Answers the exit code: 0 when nothing failed, else 1.
 */
export async function check(deps: CheckDeps, config: ManagerConfig, signal: AbortSignal): Promise<0 | 1> {
  const projectIds = new Map<number, string>();
  const groups: { advice: string; checks: Check[] }[] = [
    { advice: 'Correct `gitlab` in the configuration.', checks: gitlabChecks(deps.gitlab, deps) },
    {
      advice: 'Correct `path`, or give the user of the token access to the project.',
      checks: config.projects.flatMap((project) =>
        projectChecks(deps.gitlab, {
          path: project.path,
          webhookUrl: `${config.publicUrl}/webhooks/gitlab`,
          needsPipelines: project.gate.pipeline === 'success',
          onFound: (id) => projectIds.set(id, project.name),
        }),
      ),
    },
    {
      advice: 'Correct `branch` in the configuration; its token needs the right to read and write the repository.',
      checks: branchChecks(deps.branch, { name: config.branch.name, templates: templatesOf(config) }),
    },
    { advice: 'Correct `database`, or start PostgreSQL.', checks: databaseChecks(deps.database) },
    {
      advice: 'See the database.',
      checks: config.agents.map((agent) => agentCheck(deps.database, { name: agent.name, now: deps.now })),
    },
  ];
  groups.push({ advice: 'See `secrets` in the configuration.', checks: config.projects.flatMap(secretChecks) });
  const results: CheckResult[] = [];
  for (const { advice, checks } of groups) {
    // A group at once, and in the order of the file: the lines come in the same order each time.
    const finished = await Promise.all(checks.map((each) => runCheck(each, { timeoutMs, signal, advice })));
    for (const result of finished) deps.print(formatResult(result));
    results.push(...finished);
  }
  results.push(await checkPlan(deps, config, projectIds, signal));
  return results.some((result) => result.status === 'failed') ? 1 : 0;
}

function templatesOf(config: ManagerConfig): string[] {
  return [...new Set(config.projects.map((project) => project.preview.template))];
}

/** What the file would start and stop. Told when all projects are known: a missing one would look like stops. */
async function checkPlan(
  deps: CheckDeps,
  config: ManagerConfig,
  projectIds: ReadonlyMap<number, string>,
  signal: AbortSignal,
): Promise<CheckResult> {
  const plan: Check = {
    name: 'effect',
    async run(planSignal) {
      if (projectIds.size < config.projects.length) {
        const found = 'Not known while a project above cannot be read.';
        return { status: 'skipped', found, advice: null };
      }
      return formatPlan(await deps.plan(projectIds, planSignal));
    },
  };
  const result = await runCheck(plan, { timeoutMs, signal, advice: 'See the database.' });
  deps.print(formatResult(result));
  return result;
}
