import type pg from 'pg';
import type { Logger } from 'pino';
import type { ManagerConfig } from '../config/manager-config.js';
import { AppError } from '../error/app-error.js';
import { begin } from '../preview/begin.js';
import { slugCandidates } from '../preview/naming.js';
import type { Preview } from '../preview/preview.js';
import { loadInstallation } from '../store/branch-installation.js';
import { enqueue, type JobSpec } from '../store/queue.js';
import { readSubject } from '../store/subject-state.js';
import { countStale, enqueueStale, listStale } from '../store/template-sweep.js';
import { unlimitedInput } from './decide/input.js';
import { commitJob } from './decide/jobs.js';
import { linkedGroupOf } from './decide/linked-group.js';
import type { DecideDeps } from './decide/needs.js';
import { type RenderingDeps, rehearseSweep, renderPreview, type Subject } from './operate/preview-rendering.js';
import { sweepTemplates, sweptAtOnce, type WantedRendering } from './operate/template-sweep.js';
import type { ProjectsInForce } from './projects-in-force.js';
import type { BranchRoom } from './serve-branch.js';
import { decideSettings } from './serve-decide.js';
import { linkedSubjectOf } from './serve-render-linked.js';
import type { RenderDesk } from './web/needs.js';

export interface RenderRoomDeps {
  pool: pg.Pool;
  room: Pick<BranchRoom, 'branch' | 'renderer'>;
  projects: () => ProjectsInForce;
  config: () => Pick<ManagerConfig, 'branch'>;
  readMergeRequest: DecideDeps['gitlab']['readMergeRequest'];
  /** Of linked previews. */
  readBaseline: NonNullable<DecideDeps['gitlab']['readBaseline']>;
  signal: AbortSignal;
  log: Logger;
}

export interface RenderRoom {
  desk: RenderDesk;
  /** The job `templates`. */
  sweep(signal: AbortSignal): Promise<void>;
  /** Templates of the branch as one text, which is another one when any of them changed. */
  templates(signal: AbortSignal): Promise<string>;
}

/** A branch looked at so short a time ago is not fetched again. */
const trustMs = 15_000;

export const templatesJob: JobSpec = { task: 'templates', key: 'templates', payload: {} };

/** What renders outside the branch writer: for people who ask, and again when templates or configuration change. */
export function openRenderRoom(deps: RenderRoomDeps): RenderRoom {
  const { pool, room, signal, log } = deps;
  const rendering: RenderingDeps = {
    installation: async () => (await loadInstallation(pool))?.id ?? null,
    branch: (until) => room.branch.look({ maxAgeMs: trustMs, signal: until }),
    readText: room.branch.readText,
    render: room.renderer.render,
  };
  const wanted = (until: AbortSignal) => wantedRenderings(deps, until);
  return {
    desk: {
      async render({ project, iid, trial }) {
        const { phase, ...subject } = await subjectOf(deps, project, iid);
        const input = trial === null ? subject : { ...subject, trial };
        const path = `${deps.config().branch.applications}/${subject.preview.slug}.yml`;
        return { ...(await asAnswer(() => renderPreview(rendering, input, signal))), phase, path };
      },
      async rehearse() {
        const now = await wanted(signal);
        return rehearseSweep({ ...rendering, listStale: (page) => listStale(pool, { wanted: now, ...page }) }, signal);
      },
      async sweep() {
        const count = await countStale(pool, await wanted(signal));
        await enqueue(pool, [templatesJob]);
        return { count, atOnce: sweptAtOnce };
      },
    },
    async sweep(until) {
      const job = commitJob(deps.config().branch.name);
      await sweepTemplates({ wanted, enqueueStale: (input) => enqueueStale(pool, { ...input, job }), log }, until);
    },
    async templates(until) {
      const { templates } = await rendering.branch(until);
      return JSON.stringify([...templates]);
    },
  };
}

/** Of projects whose repository's address GitLab has told: a guess of it must render nothing again. */
async function wantedRenderings(deps: RenderRoomDeps, signal: AbortSignal): Promise<WantedRendering[]> {
  const { templates } = await deps.room.branch.look({ maxAgeMs: trustMs, signal });
  return deps
    .projects()
    .told()
    .flatMap((project) => {
      const fingerprint = deps.room.renderer.fingerprint(project, templates);
      return fingerprint === null ? [] : [{ project, fingerprint }];
    });
}

/** The living preview of a merge request with the sha that it is to run, or the one that it would get next. */
async function subjectOf(
  deps: RenderRoomDeps,
  name: string,
  iid: number,
): Promise<Subject & { phase: Preview['phase'] | null }> {
  const project = deps
    .projects()
    .all()
    .find(({ config }) => config.name === name);
  if (project === undefined) {
    throw unknown('no-such-project', `There is no project ${name} in the configuration, or GitLab does not show it.`);
  }
  const { projectId, policy } = project;
  const subject = { name: `mr:${projectId}:${iid}`, projectId, iid };
  const query = { subject: subject.name, projectId, iid, reading: null, occupancy: false, breaker: false };
  const first = await readSubject(deps.pool, { ...query, slugs: [] });
  const facts = first.facts ?? (await readFacts(deps, subject));
  if (facts === null || facts.sha === null) {
    throw unknown(
      'no-such-merge-request',
      `GitLab shows no merge request ${project.config.path}!${iid} with a commit.`,
    );
  }
  const { sha } = facts;
  const linkedSettings = decideSettings({ projects: deps.projects, branch: '' });
  const group = linkedGroupOf(linkedSettings, facts, first.wishes);
  if (group !== null) {
    return linkedSubjectOf({ ...deps, settings: linkedSettings }, { group, facts });
  }
  const { preview } = first;
  if (preview !== null && preview.phase !== 'stopping' && preview.phase !== 'stopped') {
    return { preview: withSha(preview, sha), facts, phase: preview.phase };
  }
  const state = await readSubject(deps.pool, { ...query, slugs: slugCandidates(policy, facts) });
  const readings = {
    mergeRequest: { known: true, facts, readStartedAt: state.now } as const,
    gates: [],
    gateAskedFor: null,
  };
  const settings = { policyFor: () => policy, slotLimits: () => deps.projects().slotLimits(), branch: '' };
  const input = unlimitedInput(settings, { subject, state: { ...state, facts, preview: null }, readings });
  const beginning = begin(null, { runs: true }, { ...input, slugs: state.slugs });
  if (beginning.kind !== 'begin') throw unknown('no-free-slug', `No name is free for a preview of !${iid}.`);
  return { preview: withSha(beginning.preview, sha), facts, phase: null };
}

async function readFacts(deps: RenderRoomDeps, { projectId, iid }: { projectId: number; iid: number }) {
  const reading = await deps.readMergeRequest(projectId, iid, deps.signal);
  return reading.known ? reading.facts : null;
}

/** What waits for its first gate is shown with the sha that it waits for. */
function withSha(preview: Preview, sha: string): Preview {
  const members = preview.members.map((member) => ({ ...member, wantedSha: member.wantedSha ?? sha }));
  return { ...preview, members };
}

function unknown(code: string, publicMessage: string): AppError {
  return new AppError({ code, disposition: 'stall', publicMessage, data: { status: 404 } });
}

/** What a person has to mend in a template is no fault of the manager's. */
async function asAnswer<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof AppError) || error.disposition !== 'stall') throw error;
    const { code, disposition, publicMessage, data } = error;
    throw new AppError({ code, disposition, publicMessage, data: { ...data, status: 422 }, cause: error });
  }
}
