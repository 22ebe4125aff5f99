import type { Logger } from 'pino';
import { keepOpened } from '../config/keep-opened.js';
import type { ManagerConfig } from '../config/manager-config.js';
import { changedSections, watchReload } from '../config/watch-reload.js';
import { createGitLab, type GitLab, type GitLabOptions } from '../gitlab/client.js';
import { getProject } from '../gitlab/projects.js';
import { createManagerMetrics, type ManagerMetrics } from '../metrics/manager-metrics.js';
import { createRegistries } from '../registry/registries.js';
import { askUnknown } from '../store/ask-anew.js';
import { listenToBranch } from '../store/branch-listener.js';
import { enqueueAll } from '../store/due.js';
import { recallProject, rememberProject } from '../store/follow-cursor.js';
import { enqueue, startQueue } from '../store/queue.js';
import { databaseNow } from '../store/web-check.js';
import {
  sampleAgentLastSeen,
  sampleBreaker,
  sampleOldestUnpublished,
  samplePreviews,
  sampleQueueDepth,
} from '../store/web-metrics.js';
import { resolveProjects } from './follow/resolve-projects.js';
import { type GitLabAccess, watchGitLabAccess } from './gitlab-access.js';
import { intakePressure } from './intake-pressure.js';
import { type ProjectsInForce, projectsInForce, renderProjectOf } from './projects-in-force.js';
import { openBranchRoom } from './serve-branch.js';
import { startClock } from './serve-clock.js';
import { type ManagerDatabase, openDatabase } from './serve-database.js';
import { baselineReader } from './serve-decide.js';
import { gitlabCalls } from './serve-gitlab.js';
import { openServers } from './serve-http.js';
import { imageFinder } from './serve-images.js';
import { openRenderRoom, templatesJob } from './serve-render.js';
import { createRoutes } from './serve-routes.js';
import { createTasks, followJob, taskNames } from './serve-tasks.js';

export interface ServeOptions {
  log: Logger;
  /** Reads the configuration again on SIGHUP; absent: it is never read again. */
  reload?: () => Promise<ManagerConfig>;
  /** Ends a start that is under way: what was started by then is released, and the start rejects. */
  signal?: AbortSignal;
  /** How long GitLab is waited for; default: see the client. */
  patience?: Pick<GitLabOptions, 'timeoutMs' | 'retry'>;
}

export interface Manager {
  url: string;
  metricsUrl: string;
  dashboardUrl: string;
  /** With the password: never log it. */
  databaseUrl: string;
  /** Takes nothing new, finishes or interrupts what runs, and resolves when all is closed. */
  stop(): Promise<void>;
  /** Resolves after `stop`; rejects when the manager cannot go on. */
  done: Promise<void>;
}

/** Jobs that run at once; most of their time they wait for GitLab or PostgreSQL. */
const concurrency = 16;

/** Starts the manager. What was started is released in reverse order, also when a later part fails to start. */
export async function serve(config: ManagerConfig, options: ServeOptions): Promise<Manager> {
  const releases: (() => Promise<void>)[] = [];
  const control = new AbortController();
  const release = async (): Promise<void> => {
    control.abort();
    for (const each of releases.splice(0).reverse()) await each();
  };
  try {
    const signal = AbortSignal.any([control.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    return await start(config, options, { releases, signal, release });
  } catch (error) {
    await release();
    throw error;
  }
}

interface Life {
  releases: (() => Promise<void>)[];
  signal: AbortSignal;
  release: () => Promise<void>;
}

async function start(config: ManagerConfig, options: ServeOptions, life: Life): Promise<Manager> {
  const { log } = options;
  const { releases, signal } = life;
  const database = await openDatabase(config, { log, signal });
  releases.push(database.release);
  const { pool } = database;
  const metrics = createManagerMetrics(managerSamples(database), { log });
  const access = watchGitLabAccess({ log });
  const observe = (request: { call: string; status: number }) => {
    metrics.countGitlabRequest(request);
    access.observe(request);
  };
  const gitlab = createGitLab({ ...config.gitlab, ...options.patience, signal, observe });
  releases.push(gitlab.close);
  const calls = gitlabCalls(gitlab);
  const force = await openForce({ config, database, gitlab, log, signal });
  signal.throwIfAborted();
  const room = await openBranchRoom(config, {
    pool,
    renderProject: (name) => renderProjectOf(force.projects(), name, config.gitlab.url),
    memberPath: (projectId) => force.projects().byId(projectId)?.config.path ?? null,
    countPush: metrics.countPush,
    log,
  });
  releases.push(room.mirror.close);
  const listener = listenToBranch({ url: database.url, log });
  releases.push(listener.stop);
  const registries = createRegistries({ entries: () => force.current().registries });
  releases.push(registries.close);
  const hasImage = imageFinder(gitlab, registries, () => force.current().gitlab.registry);
  const rendering = openRenderRoom({
    pool,
    room,
    projects: force.projects,
    config: force.current,
    readMergeRequest: calls.decide.readMergeRequest,
    readBaseline: baselineReader({ gitlab, calls, hasImage }),
    signal,
    log,
  });
  const taskDeps = {
    pool,
    gitlab,
    calls,
    hasImage,
    projects: force.projects,
    writer: room.writer,
    publicUrl: () => force.current().publicUrl,
    branch: config.branch.name,
  };
  const startedAt = await databaseNow(pool);
  const pressure = intakePressure();
  const tasks = createTasks({ ...taskDeps, rendering, startedAt, intake: pressure, metrics, log });
  const queue = await startQueue({ url: database.url, tasks, concurrency, log });
  releases.push(queue.stop);
  const { projects, current } = force;
  followAccess({ access, metrics, database, projects });
  const parts = createRoutes({
    rendering: rendering.desk,
    pool,
    calls,
    config: current,
    projects,
    listener,
    pressure,
    metrics,
    trouble: access.trouble,
    signal,
    log,
  });
  const servers = await openServers(parts, config.listen, log);
  releases.push(servers.stop);
  const resolve = force.resolve;
  releases.push(await startClock({ pool, branch: config.branch.name, projects, resolveProjects: resolve, log }));
  // The configuration may be another one than that of the last run.
  await enqueueAll(pool);
  if (options.reload !== undefined) releases.push(reloadOnHangup({ force, database, metrics, log }, options.reload));
  log.info({ url: servers.url, projects: config.projects.length }, 'manager ready');
  return { ...servers, databaseUrl: database.url, ...lifeOf(life, Promise.race([queue.promise, database.broken])) };
}

/** A manager whose queue or whose own database broke must end, so that it is started again. */
function lifeOf(life: Life, broken: Promise<void>): Pick<Manager, 'stop' | 'done'> {
  let finish: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const done = Promise.race([stopped, broken.then(() => stopped)]);
  done.catch(() => undefined);
  let stopping: Promise<void> | undefined;
  return {
    done,
    stop() {
      stopping ??= life.release().finally(finish);
      return stopping;
    },
  };
}

/** The configuration and the projects that hold now. */
interface Force {
  current: () => ManagerConfig;
  projects: () => ProjectsInForce;
  /** Asks GitLab for the ids of the projects; keeps those that it cannot tell now. */
  resolve: () => Promise<void>;
  replace: (next: ManagerConfig) => Promise<void>;
}

async function openForce(deps: {
  config: ManagerConfig;
  database: ManagerDatabase;
  gitlab: GitLab;
  log: Logger;
  signal: AbortSignal;
}): Promise<Force> {
  const { database, gitlab, log, signal } = deps;
  const resolveDeps = {
    getProject: (input: { project: string; signal: AbortSignal }) => getProject(gitlab, input),
    remember: (input: Parameters<typeof rememberProject>[1]) => rememberProject(database.pool, input),
    log,
  };
  const read = async (config: ManagerConfig): Promise<ProjectsInForce> => {
    const names = new Map(config.projects.map((project) => [project.path, project.name]));
    const recall = ({ path }: { path: string }) => recallProject(database.pool, { path, name: names.get(path) ?? '' });
    const paths = [...names.keys()];
    return projectsInForce(config, await resolveProjects({ ...resolveDeps, recall }, { paths, signal }));
  };
  let config = deps.config;
  let projects = await read(config);
  return {
    current: () => config,
    projects: () => projects,
    resolve: async () => {
      const asked = config;
      const next = await read(asked);
      // A reload that came meanwhile has read its own.
      if (asked === config) projects = next;
    },
    replace: async (next) => {
      projects = await read(next);
      config = next;
    },
  };
}

/** Once the token works again, what it could not tell meanwhile is asked for at once. */
function followAccess(deps: {
  access: GitLabAccess;
  metrics: ManagerMetrics;
  database: ManagerDatabase;
  projects: () => ProjectsInForce;
}): void {
  const { access, metrics, database, projects } = deps;
  metrics.setGitlabTokenRefused(access.trouble() !== null);
  access.onChange(async (refused) => {
    metrics.setGitlabTokenRefused(refused);
    if (refused) return;
    await askUnknown(database.pool);
    await enqueue(
      database.pool,
      projects()
        .all()
        .map(({ projectId }) => followJob(projectId)),
    );
  });
}

function reloadOnHangup(
  deps: { force: Force; database: ManagerDatabase; metrics: ManagerMetrics; log: Logger },
  load: () => Promise<ManagerConfig>,
): () => Promise<void> {
  const { force, database, metrics, log } = deps;
  const reloader = watchReload<ManagerConfig>({
    initial: force.current(),
    load,
    async onChange(before, after) {
      const changed = changedSections(before, after);
      const next = keepOpened(force.current(), after);
      const waiting = changedSections(next, after);
      if (waiting.length > 0) log.warn({ sections: waiting }, 'these sections change with the next start');
      await force.replace(next);
      const jobs = force
        .projects()
        .all()
        .map(({ projectId }) => followJob(projectId));
      await enqueue(database.pool, [...jobs, templatesJob]);
      await enqueueAll(database.pool);
      log.info({ sections: changed }, 'configuration reloaded');
    },
    onAccepted: () => metrics.setConfigRefused(false),
    onRefused(error) {
      metrics.setConfigRefused(true);
      log.error({ err: error }, 'configuration refused, the old one stays');
    },
  });
  return async () => reloader.stop();
}

function managerSamples({ pool }: ManagerDatabase) {
  return {
    previews: () => samplePreviews(pool),
    queueDepth: () => sampleQueueDepth(pool, taskNames),
    oldestUnpublished: () => sampleOldestUnpublished(pool),
    breaker: () => sampleBreaker(pool),
    agentLastSeen: () => sampleAgentLastSeen(pool),
  };
}
