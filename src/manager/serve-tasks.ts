import { z } from 'zod';
import type { ProjectConfig } from '../config/manager-config.js';
import { listMergeRequests } from '../gitlab/merge-requests.js';
import type { ManagerMetrics } from '../metrics/manager-metrics.js';
import type { Stage } from '../metrics/stage-seconds.js';
import { type ForkEntry, forkEntry } from '../preview/linked-forks.js';
import { loadAbsentInput } from '../store/absent-input.js';
import { enqueueDue } from '../store/due.js';
import { askAbsent, askListed, loadFollowCursor, saveFollowCursor } from '../store/follow-cursor.js';
import { enqueueDueImages, saveImageLooks, scheduleImages, takeDueImages } from '../store/image-looks.js';
import { staleLines } from '../store/lines.js';
import { doubtNote, noticeRemoved } from '../store/note-look.js';
import { loadNoteState, markAnswered, openAnswers, saveHandledNotes, writtenSince } from '../store/notes.js';
import { claimCreation, isStatusNameTaken, releaseCreation, saveWritten } from '../store/projections.js';
import { loadFeedbackInput, membersOfSubject } from '../store/projections-input.js';
import { enqueue, type JobSpec, type Task } from '../store/queue.js';
import { allPurges, purge } from '../store/retention.js';
import type { BranchWriter } from './commit/branch-writer.js';
import { commitJob, feedbackJob, lineJob } from './decide/jobs.js';
import { sweep } from './expire/sweep.js';
import { type LineDeps, refreshLines } from './feedback/refresh-lines.js';
import { type FeedbackSettings, runFeedback } from './feedback/run.js';
import { answerComments } from './follow/answer-comments.js';
import { catchUp } from './follow/catch-up.js';
import { readCommands } from './follow/read-commands.js';
import { type ImageDeps, lookForImages } from './images/look-for-images.js';
import { removeOld } from './operate/retention.js';
import type { ProjectsInForce } from './projects-in-force.js';
import { type DecideTaskDeps, decideTask } from './serve-decide.js';
import type { GitLabCalls } from './serve-gitlab.js';
import { type RenderRoom, templatesJob } from './serve-render.js';

export interface TaskDeps extends DecideTaskDeps {
  calls: GitLabCalls;
  writer: BranchWriter;
  rendering: Pick<RenderRoom, 'sweep' | 'templates'>;
  /** Where this manager is reached. */
  publicUrl: () => string;
  /** PostgreSQL's time of this manager's start. */
  startedAt: number;
  metrics: ManagerMetrics;
}

const mergeRequestKey = z.object({ projectId: z.number().int(), iid: z.number().int() });
const registryKey = z.object({ registry: z.string() });
const linkedKey = z.object({ subject: z.string().startsWith('group:') });
const projectKey = z.object({ projectId: z.number().int() });

export const sweepJob: JobSpec = { task: 'sweep', key: 'sweep', payload: {} };
export const retentionJob: JobSpec = { task: 'retention', key: 'retention', payload: {} };

export function readbackJob(branch: string): JobSpec {
  return { task: 'readback', key: `readback:${branch}`, payload: {} };
}

export function followJob(projectId: number): JobSpec {
  return { task: 'follow', key: `follow:${projectId}`, payload: { projectId } };
}

/** Every task of the queue. */
export const taskNames = [
  'decide',
  'commit',
  'readback',
  'templates',
  'feedback',
  'notes',
  'follow',
  'images',
  'line',
  'sweep',
  'retention',
] as const;

/** What the queue runs. Each task reads the state afresh and may run again at any time. */
export function createTasks(deps: TaskDeps): Record<(typeof taskNames)[number], Task> {
  return {
    decide: timed(deps, 'decide', decideTask(deps)),
    commit: timed(deps, 'commit', (_, signal) => deps.writer.write(signal)),
    readback: readbackTask(deps),
    templates: (_, signal) => deps.rendering.sweep(signal),
    feedback: feedbackTask(deps),
    notes: notesTask(deps),
    follow: followTask(deps),
    images: imagesTask(deps),
    line: lineTask(deps),
    sweep: async () => {
      await enqueueDueImages(deps.pool);
      await enqueue(deps.pool, [lineJob()]);
      await sweep({
        enqueueDue: (query) => enqueueDue(deps.pool, query),
        deployTimeouts: () =>
          deps
            .projects()
            .named()
            .map(({ name, deployTimeoutMs: timeoutMs }) => ({ project: name, timeoutMs })),
        log: deps.log,
      });
    },
    retention: (_, signal) =>
      removeOld({ kinds: allPurges, purge: (kind, limit) => purge(deps.pool, kind, limit), log: deps.log }, signal),
  };
}

/** Takes in what people did to the branch; another template is looked into at once, not with the next tick. */
function readbackTask(deps: TaskDeps): Task {
  let known: string | null = null;
  return async (_, signal) => {
    const { pending } = await deps.writer.look(signal);
    const templates = await deps.rendering.templates(signal);
    const isNew = known !== null && known !== templates;
    await enqueue(deps.pool, [...(pending ? [commitJob(deps.branch)] : []), ...(isNew ? [templatesJob] : [])]);
    known = templates;
  };
}

function feedbackTask(deps: TaskDeps): Task {
  const { pool } = deps;
  const feedbackDeps = {
    gitlab: deps.calls.feedback,
    store: {
      load: (key: { projectId: number; iid: number }) => loadFeedback(deps, key),
      loadAbsent: (key: { projectId: number; iid: number }) => loadAbsence(pool, key),
      claimCreation: (input: Parameters<typeof claimCreation>[1]) => claimCreation(pool, input),
      releaseCreation: (input: Parameters<typeof releaseCreation>[1]) => releaseCreation(pool, input),
      saveWritten: (input: Parameters<typeof saveWritten>[1]) => saveWritten(pool, input),
      isNameTaken: (input: Parameters<typeof isStatusNameTaken>[1]) => isStatusNameTaken(pool, input),
    },
    settingsOf: (name: string) => feedbackSettingsOf(deps.projects(), name),
    policyOf: (projectId: number) => followedAs(deps.projects(), projectId),
    wakeUrlOf: (slug: string) => `${deps.publicUrl()}/wake/${slug}`,
    longestLifeOf: (name: string) =>
      deps
        .projects()
        .named()
        .find((each) => each.name === name)?.lifetime.maxMs ?? null,
    log: deps.log,
  };
  return timed(deps, 'report', async (payload, signal) => {
    const linked = linkedKey.safeParse(payload);
    if (!linked.success) return runFeedback(feedbackDeps, { ...mergeRequestKey.parse(payload), signal });
    const members = await membersOfSubject(pool, linked.data.subject);
    await enqueue(
      pool,
      members.map(({ projectId, iid }) => feedbackJob(projectId, iid)),
    );
  });
}

function lineTask({ pool, projects }: TaskDeps): Task {
  const lineDeps: LineDeps = {
    staleLines: ({ limit }) => staleLines(pool, { limits: projects().slotLimits(), limit }),
    enqueueFeedback: (stale) =>
      enqueue(
        pool,
        stale.map(({ projectId, iid }) => feedbackJob(projectId, iid)),
      ),
    again: (afterMs) => enqueue(pool, [lineJob(Date.now() + afterMs)]),
  };
  return async () => {
    await refreshLines(lineDeps);
  };
}

/** What is told of a linked preview follows the settings of the merge request's own project. */
async function loadFeedback({ pool, projects }: TaskDeps, key: { projectId: number; iid: number }) {
  const now = projects();
  const group = now.groupOf(key.projectId);
  const name = group?.config.name ?? null;
  const forks = forkEntryOf(now, key.projectId);
  const loaded = await loadFeedbackInput(pool, { ...key, group: name, forks, limits: now.slotLimits() });
  const linked = loaded?.view.linked;
  if (loaded === null || linked == null) return loaded;
  const own = now.byId(key.projectId)?.config.name ?? null;
  const told = {
    own,
    missing: group?.missing ?? [],
    ...(group === null ? {} : { forkGets: forkGetsOf(group.config.settings) }),
  };
  return { ...loaded, view: { ...loaded.view, linked: { ...linked, ...told } } };
}

async function loadAbsence(pool: TaskDeps['pool'], key: { projectId: number; iid: number }) {
  const loaded = await loadAbsentInput(pool, key);
  if (loaded === null) return null;
  const { facts, spoken, wishes, note, now } = loaded;
  return { absent: { facts, spoken, wishes }, note, now };
}

/** The filters that apply to a merge request, in a group as well, and its project's own name. */
function followedAs(projects: ProjectsInForce, projectId: number) {
  const project = projects.byId(projectId);
  if (project === null) return null;
  const member = projects.groupOf(projectId)?.projects.find((each) => each.projectId === projectId);
  return { name: project.config.name, policy: member?.policy ?? project.policy };
}

function feedbackSettingsOf(projects: ProjectsInForce, name: string): FeedbackSettings | null {
  const found = projects.all().find(({ config }) => config.name === name);
  if (found === undefined) return null;
  const { note, commitStatus, logs } = found.config.feedback;
  // Of a project that GitLab has not spoken of nobody knows who reads it.
  return {
    note,
    commitStatus,
    logs: logs === 'note' || (logs === 'auto' && found.isPublic === false),
    forkGets: { ...forkGetsOf(found.config), linked: forkEntryOf(projects, found.projectId) !== 'never' },
  };
}

function forkGetsOf({ secrets = [], follow }: Pick<ProjectConfig, 'secrets' | 'follow'>) {
  return { secrets: secrets.some(({ forks }) => forks), repositories: follow.forkRepositories.length > 0 };
}

function forkEntryOf(projects: ProjectsInForce, projectId: number): ForkEntry {
  const member = projects.groupOf(projectId)?.projects.find((each) => each.projectId === projectId);
  return member === undefined ? 'never' : forkEntry(member);
}

function notesTask(deps: TaskDeps): Task {
  const { pool, calls } = deps;
  const store = {
    loadNoteState: (key: { projectId: number; iid: number }) => loadNoteState(pool, key),
    writtenSince: (input: Parameters<typeof writtenSince>[1]) => writtenSince(pool, input),
    saveHandled: (input: Parameters<typeof saveHandledNotes>[1]) => saveHandledNotes(pool, input),
    doubtNote: (key: { projectId: number; iid: number }) => doubtNote(pool, key),
  };
  const answers = {
    openAnswers: (key: { projectId: number; iid: number }) => openAnswers(pool, key),
    awardEmoji: calls.commands.awardEmoji,
    markAnswered: (input: { noteId: number }) => markAnswered(pool, input),
  };
  const rulesOf = (projectId: number) => commandRules(deps.projects(), projectId);
  return async (payload, signal) => {
    const input = { ...mergeRequestKey.parse(payload), signal };
    await readCommands({ gitlab: calls.commands, store, rulesOf }, input);
    await answerComments(answers, input);
  };
}

/** A project that left the configuration has previews that may still be stopped. */
function commandRules(projects: ProjectsInForce, projectId: number) {
  const project = projects.byId(projectId);
  // What can be set belongs to the preview, and the preview to the group; who may order it is each project's own.
  const settable = (projects.groupOf(projectId) ?? project)?.policy.settable ?? {};
  return { level: project?.config.commands.level ?? 30, settable };
}

function imagesTask(deps: TaskDeps): Task {
  const { pool, hasImage, log } = deps;
  const imageDeps: ImageDeps = {
    takeDue: (query) => takeDueImages(pool, query),
    saveLooks: (looks) => saveImageLooks(pool, looks),
    scheduleNext: (registry) => scheduleImages(pool, registry),
    hasImage,
    log,
  };
  return (payload, signal) => lookForImages(imageDeps, { ...registryKey.parse(payload), signal });
}

function followTask(deps: TaskDeps): Task {
  const { pool, gitlab } = deps;
  const followDeps = {
    listMergeRequests: (input: Parameters<typeof listMergeRequests>[1]) => listMergeRequests(gitlab, input),
    loadCursor: (input: { projectId: number }) => loadFollowCursor(pool, input),
    askListed: (input: Parameters<typeof askListed>[1]) => askListed(pool, input),
    noticeRemoved: (input: Parameters<typeof noticeRemoved>[1]) => noticeRemoved(pool, input),
    askAbsent: (input: Parameters<typeof askAbsent>[1]) => askAbsent(pool, input),
    saveCursor: (input: Parameters<typeof saveFollowCursor>[1]) => saveFollowCursor(pool, input),
    log: deps.log,
  };
  return async (payload, signal) => {
    const { projectId } = projectKey.parse(payload);
    const project = deps.projects().byId(projectId);
    // A reload took it out of the configuration while its job waited.
    if (project === null) return;
    await catchUp(followDeps, { projectId, path: project.config.path, fullSince: deps.startedAt, signal });
  };
}

function timed(deps: TaskDeps, stage: Stage, task: Task): Task {
  return async (payload, signal) => {
    const startedAt = performance.now();
    try {
      await task(payload, signal);
    } finally {
      deps.metrics.observeStage({ stage, durationMs: performance.now() - startedAt });
    }
  };
}
