import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { ManagerConfig } from '../config/manager-config.js';
import { type Branch, openBranch } from '../git/branch.js';
import { type Mirror, openMirror } from '../git/mirror.js';
import type { JobSpec } from '../store/queue.js';
import { type BranchWriter, createBranchWriter } from './commit/branch-writer.js';
import type { FollowUp } from './commit/follow-up.js';
import { commitJob, decideJob, feedbackJob } from './decide/jobs.js';
import { parseGroupSubject, parseSubject } from './decide/subject.js';
import type { RenderProject } from './render/context.js';
import { createRenderer, type Renderer } from './render/renderer.js';
import { branchStores } from './serve-branch-stores.js';

export interface BranchRoom {
  writer: BranchWriter;
  branch: Branch;
  mirror: Mirror;
  renderer: Renderer;
}

export interface BranchRoomDeps {
  pool: pg.Pool;
  /** null: no project of the configuration is called so. */
  renderProject(name: string): RenderProject | null;
  /** null: no project of the configuration has this id. */
  memberPath(projectId: number): string | null;
  countPush(input: { outcome: string }): void;
  log: Logger;
}

const builtInTemplate = new URL('../../templates/application.yml.hbs', import.meta.url);

/** Opens the branch of the configuration: a local copy of it, and its one writer. */
export async function openBranchRoom(
  config: Pick<ManagerConfig, 'branch' | 'dataDir'>,
  deps: BranchRoomDeps,
): Promise<BranchRoom> {
  const { pool, log } = deps;
  const { repository, token, name, applications, templates, author } = config.branch;
  const mirror = await openMirror({
    directory: join(config.dataDir, 'branch'),
    url: repository,
    auth: token === null ? null : { origin: new URL(repository).origin, token },
    log,
  });
  const branch = openBranch({ mirror, name, applications, templates, author });
  const rendererDeps = { readText: branch.readText, project: deps.renderProject };
  const renderer = createRenderer(rendererDeps, await readFile(builtInTemplate, 'utf8'));
  const jobs = (all: readonly FollowUp[]): JobSpec[] => all.map((followUp) => jobOf(followUp, name));
  const writer = createBranchWriter({
    branch,
    ...branchStores(pool, jobs),
    ...renderer,
    projectPath: (project) => deps.renderProject(project)?.path ?? null,
    memberPath: deps.memberPath,
    pushed: ({ outcome }) => deps.countPush({ outcome }),
    applications,
    log,
  });
  return { writer, branch, mirror, renderer };
}

function jobOf({ kind, subject }: FollowUp, branch: string): JobSpec {
  switch (kind) {
    case 'commit':
      return commitJob(branch);
    case 'decide':
      return decideJob(subject);
    case 'feedback': {
      // Who its members are is found out when they are told.
      if (parseGroupSubject(subject) !== null)
        return { task: 'feedback', key: `feedback:${subject}`, payload: { subject } };
      const { projectId, iid } = parseSubject(subject);
      return feedbackJob(projectId, iid);
    }
    default:
      return kind satisfies never;
  }
}
