import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { ManagerConfig } from '../config/manager-config.js';
import { groupPolicyOf, policyOf } from '../config/policy-of.js';
import { AppError } from '../error/app-error.js';
import { type Branch, openBranch } from '../git/branch.js';
import { openMirror } from '../git/mirror.js';
import { createGitLab, type GitLab } from '../gitlab/client.js';
import { getProject } from '../gitlab/projects.js';
import { loadInstallation } from '../store/branch-installation.js';
import { readLiving, saveRebuild } from '../store/branch-rebuild.js';
import { databaseNow } from '../store/web-check.js';
import { branchOwner } from './commit/installation.js';
import { generationOf } from './commit/message.js';
import { parseFile } from './commit/read-file.js';
import { decideJob } from './decide/jobs.js';
import { type OwnFile, planRebuild, type RebuildInput } from './operate/rebuild.js';
import { openDatabase } from './serve-database.js';

type BranchView = Awaited<ReturnType<Branch['look']>>;

/**
 * `mayfly rebuild`: makes the rows of a lost or restored database from the branch, so that the manager may write
 * again. The branch is not changed. Errors: `rebuild-no-owner`, `rebuild-foreign`.
 */
export async function rebuild(
  config: ManagerConfig,
  options: { print: (line: string) => void; log: Logger; signal: AbortSignal },
): Promise<void> {
  const { log, signal, print } = options;
  const releases: (() => Promise<unknown>)[] = [];
  try {
    const database = await openDatabase(config, { log, signal });
    releases.push(() => database.release());
    const directory = await mkdtemp(join(tmpdir(), 'mayfly-rebuild-'));
    releases.push(() => rm(directory, { recursive: true, force: true }));
    const { repository, token } = config.branch;
    const auth = token === null ? null : { origin: new URL(repository).origin, token };
    const mirror = await openMirror({ directory, url: repository, auth, log });
    releases.push(() => mirror.close());
    const gitlab = createGitLab({ ...config.gitlab, signal });
    releases.push(() => gitlab.close());
    const branch = openBranch({ mirror, ...config.branch });
    const view = await branch.look({ maxAgeMs: 0, signal });
    const id = await ownerOf(view, database.pool);
    const files = await ownFiles(branch, view, id);
    const history = await readHistory(branch, view, signal);
    const projectAt = await readProjects(config, gitlab, signal);
    const groupAt = groupsOf(config);
    const living = await readLiving(database.pool);
    const plan = planRebuild({ files, living, projectAt, groupAt, now: await databaseNow(database.pool) });
    const subjects = [...plan.rows.map(({ preview }) => preview), ...plan.missing].map(({ subject }) => subject);
    await saveRebuild(database.pool, {
      ...plan,
      installation: { id, generation: history.generation, branchHead: view.head ?? '' },
      incarnations: history.incarnations,
      jobs: subjects.map((subject) => decideJob(subject)),
    });
    print(`Rebuilt ${plan.rows.length} previews from the branch at ${view.head?.slice(0, 8)}.`);
    if (plan.missing.length > 0) print(`Without a file: ${plan.missing.map(({ slug }) => slug).join(', ')}.`);
    for (const { slug, why } of plan.left) print(`Left alone: ${slug}, for ${why}.`);
    print('Start `mayfly serve`: it asks GitLab about each of them.');
  } finally {
    for (const release of releases.reverse()) await release();
  }
}

/** The installation that the branch belongs to; refused when the database is another one's that lives. */
async function ownerOf(view: BranchView, pool: pg.Pool): Promise<string> {
  const owner = branchOwner(view.head, view.installationFile);
  if (owner.kind !== 'owned') {
    throw refusal(
      'rebuild-no-owner',
      'The branch has no readable mayfly.yml, so nothing says whose it is. Restore it.',
    );
  }
  const installation = await loadInstallation(pool);
  const isOther = installation !== null && installation.id !== null && installation.id !== owner.id;
  if (isOther && (await readLiving(pool)).length > 0) {
    throw refusal(
      'rebuild-foreign',
      `The branch belongs to installation ${owner.id}; this database belongs to ${installation.id} and has previews that live. Correct \`branch\` or \`database\`.`,
    );
  }
  return owner.id;
}

function refusal(code: string, publicMessage: string): AppError {
  return new AppError({ code, disposition: 'stall', publicMessage });
}

async function ownFiles(branch: Branch, view: BranchView, installation: string): Promise<OwnFile[]> {
  const files: OwnFile[] = [];
  for (const [name, blob] of view.files) {
    const slug = /^(?<slug>[a-z0-9-]+)\.yml$/.exec(name)?.groups?.slug;
    if (slug === undefined) continue;
    const file = parseFile(await branch.readText(blob), installation);
    if (file.kind === 'ours' && file.application.metadata.name === slug) files.push({ slug, blob, ...file });
  }
  return files;
}

/** The newest generation, and the highest incarnation of each slug, that Mayfly's own commits name. */
async function readHistory(branch: Branch, view: BranchView, signal: AbortSignal) {
  const incarnations = new Map<string, number>();
  let newest = 0;
  await branch.findCommit(
    view,
    ({ message }) => {
      const generation = generationOf(message);
      if (generation === null) return false;
      newest = Math.max(newest, generation);
      const named = /^Mayfly-Preview: (?<slug>[a-z0-9-]+)#(?<incarnation>\d{1,9})$/m.exec(message)?.groups;
      const { slug = '', incarnation = '0' } = named ?? {};
      if (slug !== '') incarnations.set(slug, Math.max(incarnations.get(slug) ?? 0, Number(incarnation)));
      return false;
    },
    signal,
  );
  return { generation: newest, incarnations };
}

async function readProjects(
  config: ManagerConfig,
  gitlab: GitLab,
  signal: AbortSignal,
): Promise<RebuildInput['projectAt']> {
  const known = new Map<string, { projectId: number; policy: ReturnType<typeof policyOf> }>();
  for (const project of config.projects) {
    const { id } = await getProject(gitlab, { project: project.path, signal });
    known.set(project.path, { projectId: id, policy: policyOf(config, project) });
  }
  return (path) => known.get(path) ?? null;
}

function groupsOf(config: ManagerConfig): NonNullable<RebuildInput['groupAt']> {
  const byName = new Map(config.projects.map(({ name, path }) => [name, path]));
  return (path) => {
    const group = config.groups.find(({ projects }) => projects.some((name) => byName.get(name) === path));
    return group === undefined ? null : { policy: groupPolicyOf(config, group) };
  };
}
