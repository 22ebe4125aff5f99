import { MergeRequests } from '@gitbeaker/rest';
import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import type { MergeRequestFacts, MergeRequestReading } from '../preview/facts.js';
import type { Instant } from '../preview/preview.js';
import { type GitLab, parseAnswer } from './client.js';
import { instant } from './instant.js';
import { pages } from './pages.js';

const states = ['opened', 'closed', 'merged', 'locked'] as const;

/** null where GitLab does not say, or says it otherwise: who ended it decides nothing. */
const ender = z.object({ username: z.string() }).nullish().catch(null);

const mergeRequestSchema = z.object({
  project_id: z.number(),
  iid: z.number(),
  state: z.enum(states),
  sha: z.string().nullish(),
  source_branch: z.string(),
  target_branch: z.string(),
  title: z.string(),
  author: z.object({ id: z.number(), username: z.string() }),
  draft: z.boolean().optional(),
  work_in_progress: z.boolean().optional(),
  labels: z.array(z.string()),
  web_url: z.string(),
  source_project_id: z.number().nullish(),
  created_at: instant,
  updated_at: instant,
  closed_at: instant.nullish(),
  merged_at: instant.nullish(),
  closed_by: ender,
  // The newer name, and the one that older versions have.
  merge_user: ender,
  merged_by: ender,
});
const versionsSchema = z.array(z.object({ created_at: instant }));
const stateEventsSchema = z.array(z.object({ state: z.string(), created_at: instant }));

const firstPage = { perPage: 20, page: 1 };

/** Of GitLab's faults none is an answer about the merge request: each makes the reading unknown. */
const abortedCode = 'gitlab-aborted';

/** A merge request whose last change came so soon after its opening (milliseconds) was opened, and no more. */
const openingMs = 1_000;

interface MergeRequestQuestion {
  projectId: number;
  iid: number;
  /** What GitLab said of it before; null, or absent: nothing that is known here. */
  known?: MergeRequestFacts | null;
  signal?: AbortSignal;
}

/**
 * What GitLab says of one merge request, with the time of its last push and last reopening. One request where those
 * cannot have changed since it was opened or since what is known of it; otherwise three, in the time of two.
 * Unknown when GitLab cannot say: 401, 403, 404, a time-out, an answer that is not the API's. Error: `gitlab-aborted`.
 */
export async function readMergeRequest(gitlab: GitLab, input: MergeRequestQuestion): Promise<MergeRequestReading> {
  const { projectId, iid, known = null, signal } = input;
  const readStartedAt = gitlab.clock();
  try {
    const answer = await new MergeRequests(gitlab.at('merge-request.read', signal)).show(projectId, iid);
    const shown = parseAnswer('merge-request.read', mergeRequestSchema, answer);
    const activity = knownActivity(shown, known) ?? (await readActivity(gitlab, input, shown.created_at));
    return { known: true, facts: toFacts(shown, activity), readStartedAt };
  } catch (error) {
    if (!isAppError(error) || error.code === abortedCode) throw error;
    return { known: false, why: error.publicMessage, readStartedAt, absent: error.code === 'gitlab-not-found' };
  }
}

/** Whether GitLab says now that it is merged or closed; false also when it cannot say. Error: `gitlab-aborted`. */
export async function hasEnded(
  gitlab: GitLab,
  input: { projectId: number; iid: number; signal?: AbortSignal },
): Promise<boolean> {
  const call = 'merge-request.read';
  try {
    const answer = await new MergeRequests(gitlab.at(call, input.signal)).show(input.projectId, input.iid);
    const { state } = parseAnswer(call, z.object({ state: z.enum(states) }), answer);
    return state === 'merged' || state === 'closed';
  } catch (error) {
    if (!isAppError(error) || error.code === abortedCode) throw error;
    return false;
  }
}

type Activity = Pick<MergeRequestFacts, 'lastPushAt' | 'lastReopenedAt'>;

/** Every push and every reopening moves `updated_at`; null: there may have been one that is not known. */
function knownActivity(shown: z.infer<typeof mergeRequestSchema>, known: MergeRequestFacts | null): Activity | null {
  const isSame =
    known !== null &&
    known.lastPushAt !== null &&
    known.updatedAt === shown.updated_at &&
    known.sha === (shown.sha ?? null) &&
    known.state === shown.state;
  if (isSame) return { lastPushAt: known.lastPushAt, lastReopenedAt: known.lastReopenedAt };
  // Of one that is read for the first time: a push right after its opening, seen later, is a push.
  const isNew = known === null && shown.state === 'opened' && shown.updated_at - shown.created_at < openingMs;
  return isNew ? { lastPushAt: shown.created_at, lastReopenedAt: null } : null;
}

async function readActivity(gitlab: GitLab, input: MergeRequestQuestion, openedAt: Instant): Promise<Activity> {
  const { projectId, iid, signal } = input;
  const call = 'merge-request.versions';
  const [versions, events] = await Promise.all([
    // Newest first: the first page has what is asked.
    new MergeRequests(gitlab.at(call, signal)).allDiffVersions(projectId, iid, { showExpanded: false, ...firstPage }),
    readStateEvents(gitlab, input),
  ]);
  const reopened = events.filter((event) => event.state === 'reopened');
  const pushes = parseAnswer(call, versionsSchema, versions);
  const lastPushAt = newest(pushes);
  // The first version is made with the merge request, moments after it: the same moment, however it was read.
  const isOpening = pushes.length === 1 && lastPushAt !== null && lastPushAt - openedAt < openingMs;
  return { lastPushAt: isOpening ? openedAt : lastPushAt, lastReopenedAt: newest(reopened) };
}

/** Oldest first, so all pages are read. The library has no resource of its own for them. */
async function readStateEvents(
  gitlab: GitLab,
  input: { projectId: number; iid: number; signal?: AbortSignal },
): Promise<z.infer<typeof stateEventsSchema>> {
  const call = 'merge-request.state-events';
  const { requester } = new MergeRequests(gitlab.at(call, input.signal));
  const endpoint = `projects/${input.projectId}/merge_requests/${input.iid}/resource_state_events`;
  const events: z.infer<typeof stateEventsSchema> = [];
  const readPage = async (page: number) => {
    const { body, headers } = await requester.get(endpoint, { searchParams: { perPage: 100, page } });
    return { data: body, paginationInfo: { next: Number(headers['x-next-page']) || null } };
  };
  for await (const page of pages(readPage)) events.push(...parseAnswer(call, stateEventsSchema, page));
  return events;
}

function toFacts(shown: z.infer<typeof mergeRequestSchema>, activity: Activity): MergeRequestFacts {
  return {
    projectId: shown.project_id,
    iid: shown.iid,
    state: shown.state,
    sha: shown.sha ?? null,
    sourceBranch: shown.source_branch,
    targetBranch: shown.target_branch,
    title: shown.title,
    authorId: shown.author.id,
    authorUsername: shown.author.username,
    draft: shown.draft ?? shown.work_in_progress ?? false,
    labels: shown.labels,
    webUrl: shown.web_url,
    sourceProjectId: shown.source_project_id ?? null,
    createdAt: shown.created_at,
    updatedAt: shown.updated_at,
    endedAt: endedAt(shown),
    endedBy: endedBy(shown),
    ...activity,
  };
}

/** A merge request that was reopened still has the time of its former end. */
function endedAt(shown: z.infer<typeof mergeRequestSchema>): Instant | null {
  if (shown.state === 'merged') return shown.merged_at ?? shown.updated_at;
  if (shown.state === 'closed') return shown.closed_at ?? shown.updated_at;
  return null;
}

function endedBy(shown: z.infer<typeof mergeRequestSchema>): string | null {
  if (shown.state === 'merged') return (shown.merge_user ?? shown.merged_by)?.username ?? null;
  return shown.state === 'closed' ? (shown.closed_by?.username ?? null) : null;
}

function newest(entries: { created_at: Instant }[]): Instant | null {
  return entries.length === 0 ? null : Math.max(...entries.map((entry) => entry.created_at));
}

/** What a listing says of a merge request: enough to see that something changed. */
export interface ListedMergeRequest {
  iid: number;
  state: MergeRequestFacts['state'];
  sha: string | null;
  updatedAt: Instant;
  /** Comments of people; null when GitLab does not say. */
  noteCount: number | null;
  labels: readonly string[];
}

const listSchema = z.array(
  z
    .object({
      iid: z.number(),
      state: z.enum(states),
      sha: z.string().nullish(),
      updated_at: instant,
      user_notes_count: z.number().optional(),
      labels: z.array(z.string()),
    })
    .transform(
      (listed): ListedMergeRequest => ({
        iid: listed.iid,
        state: listed.state,
        sha: listed.sha ?? null,
        updatedAt: listed.updated_at,
        noteCount: listed.user_notes_count ?? null,
        labels: listed.labels,
      }),
    ),
);

/**
 * The merge requests of a project, page by page. `updatedAfter` null: all that are open. Otherwise those of any state
 * that changed since, so that an end that no webhook told is found too.
 * Errors: those of gitlab-error.ts; an empty list is an answer like any other.
 */
export async function* listMergeRequests(
  gitlab: GitLab,
  input: { projectId: number; updatedAfter: Instant | null; signal?: AbortSignal },
): AsyncGenerator<ListedMergeRequest[]> {
  const call = 'merge-request.list';
  const resource = new MergeRequests(gitlab.at(call, input.signal));
  const filter =
    input.updatedAfter === null
      ? { state: 'opened' as const, orderBy: 'created_at' as const }
      : { updatedAfter: new Date(input.updatedAfter).toISOString(), orderBy: 'updated_at' as const };
  const readPage = (page: number) =>
    resource.all({
      projectId: input.projectId,
      ...filter,
      sort: 'asc',
      scope: 'all',
      perPage: 100,
      page,
      showExpanded: true,
    });
  for await (const page of pages(readPage)) yield parseAnswer(call, listSchema, page);
}
