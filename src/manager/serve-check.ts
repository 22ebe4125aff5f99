import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { ManagerConfig } from '../config/manager-config.js';
import { policyInGroup, policyOf } from '../config/policy-of.js';
import { AppError } from '../error/app-error.js';
import { openBranch } from '../git/branch.js';
import { type Mirror, openMirror } from '../git/mirror.js';
import { createGitLab } from '../gitlab/client.js';
import { currentUser, getProject, gitlabVersion, listHooks, memberAccess, ownToken } from '../gitlab/projects.js';
import { hasRegistryTag } from '../gitlab/registry.js';
import { belongsToLinked } from '../preview/linked-forks.js';
import { createRegistries } from '../registry/registries.js';
import { tryRegistry } from '../registry/try-registry.js';
import { createPool } from '../store/pool.js';
import { countStale } from '../store/template-sweep.js';
import { agentsSeen, databaseNow, databaseState, knownSubjects } from '../store/web-check.js';
import { type CheckDeps, check } from './operate/check.js';
import { type KnownSubject, planChange } from './operate/plan-change.js';
import { renderProjectFrom } from './projects-in-force.js';
import { compileTemplate } from './render/compile-template.js';
import { createRenderer } from './render/renderer.js';
import { createTemplates } from './render/templates.js';

const builtInTemplate = new URL('../../templates/application.yml.hbs', import.meta.url);

/** `mayfly check`: tries every service of a configuration and changes nothing. Answers the exit code. */
export async function checkConfiguration(
  config: ManagerConfig,
  options: { print: (line: string) => void; log: Logger; signal: AbortSignal },
): Promise<0 | 1> {
  const { log, signal } = options;
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-check-'));
  const gitlab = createGitLab({ ...config.gitlab, signal });
  const { repository, token } = config.branch;
  const auth = token === null ? null : { origin: new URL(repository).origin, token };
  const mirror = await openMirror({ directory, url: repository, auth, log });
  const registries = createRegistries({ entries: () => config.registries });
  const cloneUrls = new Map<string, string>();
  const url = config.database ?? (await embeddedUrl(config.dataDir));
  const pool = url === null ? null : createPool({ url, log, max: 4 });
  try {
    const deps: CheckDeps = {
      gitlab: {
        version: (each) => gitlabVersion(gitlab, { signal: each }),
        ownToken: (each) => ownToken(gitlab, { signal: each }),
        currentUser: (each) => currentUser(gitlab, { signal: each }),
        async project(path, each) {
          const project = await getProject(gitlab, { project: path, signal: each });
          cloneUrls.set(path, project.cloneUrl);
          return project;
        },
        access: (input) => memberAccess(gitlab, input),
        hooks: (projectId, each) => listHooks(gitlab, { projectId, signal: each }),
      },
      branch: branchProbes(config, mirror),
      templateOf: templateOfBranch(config, mirror),
      database: {
        isAsleep: pool === null,
        state: async () => databaseState(poolOr(pool)),
        agents: async () => agentsSeen(poolOr(pool)),
      },
      registries: {
        reach: (input) => tryRegistry(registries, input),
        async readOwn(input) {
          await hasRegistryTag(gitlab, { ...input, tag: 'mayfly-check' });
        },
      },
      imageTemplates: imageTemplatesOf(config),
      async plan(projectIds) {
        const subjects = await knownSubjects(poolOr(pool));
        const byName = new Map(config.projects.map((project) => [project.name, project]));
        const policyFor = (projectId: number) => {
          const project = byName.get(projectIds.get(projectId) ?? '');
          return project === undefined ? null : policyOf(config, project);
        };
        const groupOf = (subject: KnownSubject) => groupOfSubject(config, subject, projectIds.get(subject.projectId));
        const plan = planChange(policyFor, { subjects, now: await databaseNow(poolOr(pool)) }, groupOf);
        const renders = await countRenders(config, { mirror, pool: poolOr(pool), cloneUrls, signal });
        return { ...plan, renders };
      },
      print: options.print,
      now: Date.now(),
    };
    return await check(deps, config, signal);
  } finally {
    await pool?.end();
    await mirror.close();
    await registries.close();
    await gitlab.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** A fork belongs to a group only where that names its project, and a linked preview has it already. */
function groupOfSubject(config: ManagerConfig, subject: KnownSubject, name: string | undefined): string | null {
  const { projectId, facts, wishes } = subject;
  const group = config.groups.find(({ projects }) => projects.includes(name ?? ''));
  const project = config.projects.find((each) => each.name === name);
  if (group === undefined || project === undefined || facts === null) return group?.name ?? null;
  if (subject.subject?.startsWith('group:') === true) return group.name;
  const member = {
    projectId,
    policy: policyInGroup(config, group, project),
    forks: group.forks?.includes(project.name) === true,
  };
  return belongsToLinked(member, facts, wishes) ? group.name : null;
}

/** Of a project in a group both count: its forks have previews of their own. */
function imageTemplatesOf(config: ManagerConfig): CheckDeps['imageTemplates'] {
  const alone = config.projects.map((project) => policyOf(config, project));
  const linked = config.groups.flatMap((group) =>
    config.projects
      .filter(({ name }) => group.projects.includes(name))
      .map((project) => policyInGroup(config, group, project)),
  );
  return [...alone, ...linked].flatMap(({ project, gateImages }) =>
    gateImages.map((template) => ({ project, template })),
  );
}

/** How many living previews were made with something else than this configuration; null: the database is older. */
async function countRenders(
  config: ManagerConfig,
  known: { mirror: Mirror; pool: pg.Pool; cloneUrls: ReadonlyMap<string, string>; signal: AbortSignal },
): Promise<number | null> {
  const { pending } = await databaseState(known.pool);
  if (pending.length > 0) return null;
  const branch = openBranch({ mirror: known.mirror, ...config.branch });
  const { templates } = await branch.look({ maxAgeMs: 60_000, signal: known.signal });
  const byName = new Map(config.projects.map((project) => [project.name, project]));
  const project = (name: string) => {
    const found = byName.get(name);
    const cloneUrl = known.cloneUrls.get(found?.path ?? '');
    return found === undefined || cloneUrl === undefined ? null : renderProjectFrom(found, cloneUrl);
  };
  const { fingerprint } = createRenderer(
    { readText: branch.readText, project },
    await readFile(builtInTemplate, 'utf8'),
  );
  const wanted = [...byName.keys()].flatMap((name) => {
    const made = fingerprint(name, templates);
    return made === null ? [] : [{ project: name, fingerprint: made }];
  });
  return countStale(known.pool, wanted);
}

const advertisement = { service: 'git-receive-pack', timeoutMs: 10_000, maxBytes: 16 * 1024 * 1024 } as const;

async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  const parts = body[Symbol.asyncIterator]();
  while (!(await parts.next()).done);
}

function branchProbes(config: ManagerConfig, mirror: Awaited<ReturnType<typeof openMirror>>): CheckDeps['branch'] {
  const branch = openBranch({ mirror, ...config.branch });
  return {
    head: async (signal) => (await branch.look({ maxAgeMs: 0, signal })).head,
    // What a push asks for first: a token that may not push is refused here already.
    canPush: (signal) => mirror.transport.call({ ...advertisement, signal }, discard),
    async loadTemplate(name, signal) {
      const view = await branch.look({ maxAgeMs: 60_000, signal });
      const blob = view.templates.get(`${name}.yml.hbs`);
      if (blob !== undefined) compileTemplate(`${name}.yml.hbs`, await branch.readText(blob), false);
      else if (name === 'application') compileTemplate(name, await readFile(builtInTemplate, 'utf8'), true);
      else throw missingTemplate(name, config.branch.templates);
    },
  };
}

/** As the renderer chooses it: a project's own file of the branch goes before the configured one. */
function templateOfBranch(config: ManagerConfig, mirror: Mirror): CheckDeps['templateOf'] {
  const branch = openBranch({ mirror, ...config.branch });
  return async (project, signal) => {
    const { templates } = await branch.look({ maxAgeMs: 60_000, signal });
    const known = createTemplates({ readText: branch.readText }, await readFile(builtInTemplate, 'utf8'));
    return known.templateFor(project, templates);
  };
}

function missingTemplate(name: string, folder: string): AppError {
  return new AppError({
    code: 'template-missing',
    disposition: 'stall',
    publicMessage: `The branch has no ${folder}/${name}.yml.hbs. Add it there, or correct \`preview.template\`.`,
  });
}

/** Of the embedded database while a manager runs it, so that what a changed file would do is known here, too. */
async function embeddedUrl(dataDir: string): Promise<string | null> {
  // Loaded here alone: the production image does not have it.
  const { runningEmbedded } = await import('../store/embedded-postgres.js');
  return runningEmbedded(dataDir);
}

/** Nothing is asked of a database that nobody runs: `isAsleep` says so before. */
function poolOr<Pool>(pool: Pool | null): Pool {
  if (pool !== null) return pool;
  throw new AppError({
    code: 'database-asleep',
    disposition: 'wait',
    publicMessage: 'The embedded database runs while `mayfly serve` does.',
  });
}
