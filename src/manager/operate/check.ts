import type { ManagerConfig, ProjectConfig } from '../../config/manager-config.js';
import { type GitLabReads, gitlabChecks, projectChecks } from './check-gitlab.js';
import { type ImageTemplate, type RegistryProbes, registryChecks } from './check-registries.js';
import { type Check, type CheckResult, formatResult, runCheck, skipped } from './check-result.js';
import { secretChecks } from './check-secrets.js';
import { agentCheck, type BranchProbes, branchChecks, type DatabaseProbes, databaseChecks } from './check-services.js';
import { sleepChecks, type TemplateOf } from './check-sleep.js';
import { formatPlan, type Plan } from './plan-change.js';

export interface CheckDeps {
  gitlab: GitLabReads;
  branch: BranchProbes;
  templateOf: TemplateOf;
  database: DatabaseProbes;
  registries: RegistryProbes;
  /** Every entry of `gate.image` that holds for a project, alone or in its group. */
  imageTemplates: readonly ImageTemplate[];
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
  const groups: { advice: string; checks: Check[]; needs?: string }[] = [
    { advice: 'Correct `gitlab` in the configuration.', checks: gitlabChecks(deps.gitlab, deps) },
    {
      advice: 'Correct `path`, or give the user of the token access to the project.',
      needs: 'GitLab',
      checks: config.projects.flatMap((project) =>
        projectChecks(deps.gitlab, {
          path: project.path,
          webhookUrl: `${config.publicUrl}/webhooks/gitlab`,
          ...neededEvents(config, project),
          onFound: (id) => projectIds.set(id, project.name),
        }),
      ),
    },
    {
      advice: 'Correct `branch` in the configuration; its token needs the right to read and write the repository.',
      checks: branchChecks(deps.branch, { name: config.branch.name, templates: templatesOf(config) }),
    },
    {
      advice: 'Correct `registries` in the configuration, or mend the registry.',
      checks: registryChecks(deps.registries, {
        hosts: config.registries.map(({ host, credential }) => ({ host, hasUser: credential !== null })),
        own: config.gitlab.registry,
        templates: deps.imageTemplates,
        projectIds,
      }),
    },
    { advice: 'Correct `database`, or start PostgreSQL.', checks: databaseChecks(deps.database) },
    {
      advice: 'See the database.',
      needs: 'database',
      checks: config.agents.map((agent) => agentCheck(deps.database, { name: agent.name, now: deps.now })),
    },
  ];
  groups.push({ advice: 'See `secrets` in the configuration.', checks: config.projects.flatMap(secretChecks) });
  groups.push({
    advice: 'See the templates in the branch.',
    needs: `branch ${config.branch.name}`,
    checks: named(config).flatMap((each) => sleepChecks(deps.templateOf, each)),
  });
  const results: CheckResult[] = [];
  for (const { advice, checks, needs } of groups) {
    const tried = hasFailed(results, needs) ? checks.map((each) => untried(each, needs)) : checks;
    // A group at once, and in the order of the file: the lines come in the same order each time.
    const finished = await Promise.all(tried.map((each) => runCheck(each, { timeoutMs, signal, advice })));
    for (const result of finished) deps.print(formatResult(result));
    results.push(...finished);
  }
  results.push(await checkPlan(deps, { config, projectIds, hasDatabase: !hasFailed(results, 'database') }, signal));
  return results.some((result) => result.status === 'failed') ? 1 : 0;
}

/** What opens the gates of a project, alone or in a group. */
function neededEvents(config: ManagerConfig, project: ProjectConfig): { needsPipelines: boolean; wantsJobs: boolean } {
  const groups = config.groups.filter(({ projects }) => projects.includes(project.name));
  const gates = [project.gate, ...groups.map(({ gate }) => gate)];
  return {
    needsPipelines: gates.some(({ pipeline }) => pipeline !== undefined && pipeline !== 'none'),
    // The job that pushes an image, or that is waited for, ends before its pipeline does.
    wantsJobs: gates.some(({ pipeline, image }) => typeof pipeline === 'object' || (image ?? []).length > 0),
  };
}

/** Whether a check that others need came to nothing: one cause is then told once. */
function hasFailed(results: readonly CheckResult[], name: string | undefined): boolean {
  const needed = results.find((result) => result.name === name);
  return needed?.status === 'failed' || needed?.status === 'skipped';
}

function untried({ name }: Check, needs: string | undefined): Check {
  return { name, run: async () => skipped(`Not known without ${needs}.`) };
}

function templatesOf(config: ManagerConfig): string[] {
  return [...new Set(named(config).map(({ preview }) => preview.template))];
}

/** Whatever previews are made by: each project, and each group as if it were one. */
function named(config: ManagerConfig): ProjectConfig[] {
  return [...config.projects, ...config.groups.map(({ settings }) => settings)];
}

/** What the file would start and stop. Told when all projects are known: a missing one would look like stops. */
async function checkPlan(
  deps: CheckDeps,
  known: { config: ManagerConfig; projectIds: ReadonlyMap<number, string>; hasDatabase: boolean },
  signal: AbortSignal,
): Promise<CheckResult> {
  const plan: Check = {
    name: 'effect',
    async run(planSignal) {
      if (known.projectIds.size < known.config.projects.length) {
        return skipped('Not known while a project above cannot be read.');
      }
      if (!known.hasDatabase) return skipped('Not known without database.');
      return formatPlan(await deps.plan(known.projectIds, planSignal));
    },
  };
  const result = await runCheck(plan, { timeoutMs, signal, advice: 'See the database.' });
  deps.print(formatResult(result));
  return result;
}
