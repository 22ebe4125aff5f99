import { isAppError } from '../../error/app-error.js';
import { type Check, failed, ok, skipped, warning } from './check-result.js';

/** Reads of GitLab that the checks need. Errors are AppErrors in words for people. */
export interface GitLabReads {
  version(signal: AbortSignal): Promise<string>;
  /** null where GitLab cannot say. */
  ownToken(signal: AbortSignal): Promise<{ scopes: string[]; expiresAt: string | null } | null>;
  currentUser(signal: AbortSignal): Promise<{ id: number; username: string }>;
  project(path: string, signal: AbortSignal): Promise<{ id: number; path: string }>;
  /** 0 for who is no member. */
  access(input: { projectId: number; userId: number; signal: AbortSignal }): Promise<number>;
  hooks(projectId: number, signal: AbortSignal): Promise<CheckedHook[]>;
}

interface CheckedHook {
  url: string;
  mergeRequestsEvents: boolean;
  noteEvents: boolean;
  pipelineEvents: boolean;
  jobEvents: boolean;
  alertStatus: string | null;
}

const developer = 30;
const renewalMs = 14 * 86_400_000;

/** GitLab itself: reachable, a token that may do what Mayfly does, a user. */
export function gitlabChecks(gitlab: GitLabReads, input: { now: number }): Check[] {
  return [
    { name: 'GitLab', run: async (signal) => ok(`Reached, version ${await gitlab.version(signal)}.`) },
    { name: 'GitLab token', run: (signal) => checkToken(gitlab, input.now, signal) },
  ];
}

async function checkToken(gitlab: GitLabReads, now: number, signal: AbortSignal) {
  const user = await gitlab.currentUser(signal);
  const token = await gitlab.ownToken(signal);
  const who = `It acts as @${user.username}`;
  if (token === null) return warning(`${who}; GitLab does not tell its scopes.`, 'It needs the scope api.');
  if (!token.scopes.includes('api')) {
    const scopes = token.scopes.join(', ') || 'none';
    return failed(`${who} and has the scopes ${scopes}.`, 'Make a token with the scope api and set `gitlab.token`.');
  }
  const leftMs = token.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(token.expiresAt) - now;
  if (leftMs < renewalMs) {
    return warning(`${who}, has the scope api, and expires on ${token.expiresAt}.`, 'Renew it before then.');
  }
  return ok(`${who} and has the scope api${token.expiresAt === null ? '' : `, until ${token.expiresAt}`}.`);
}

interface HookNeeds {
  webhookUrl: string;
  needsPipelines: boolean;
  /** Without them the catch-up notices the end of a job. */
  wantsJobs: boolean;
}

/** One project: visible, a role that may write notes and statuses, a webhook that reaches Mayfly. */
export function projectChecks(
  gitlab: GitLabReads,
  input: HookNeeds & { path: string; onFound(projectId: number): void },
): Check[] {
  const { path } = input;
  const found = (signal: AbortSignal) => gitlab.project(path, signal);
  return [
    {
      name: `project ${path}`,
      async run(signal) {
        const project = await found(signal);
        input.onFound(project.id);
        if (project.path !== path) {
          return warning(`It is called ${project.path} now.`, 'Change `path`; `name` and all previews stay.');
        }
        return checkAccess(gitlab, project.id, signal);
      },
    },
    {
      name: `webhook of ${path}`,
      async run(signal) {
        const project = await found(signal).catch(nullIfRefused);
        if (project === null) return skipped('Not known while the project cannot be read.');
        return checkHook(gitlab, project.id, input, signal);
      },
    },
  ];
}

/** That the project cannot be read is told once, by its own check. */
function nullIfRefused(error: unknown): null {
  if (isAppError(error)) return null;
  throw error;
}

async function checkAccess(gitlab: GitLabReads, projectId: number, signal: AbortSignal) {
  const user = await gitlab.currentUser(signal);
  const level = await gitlab.access({ projectId, userId: user.id, signal });
  if (level >= developer) return ok(`Visible, and @${user.username} may write notes and statuses.`);
  const role = level === 0 ? 'is no member of it' : `has the access level ${level}`;
  return failed(`@${user.username} ${role}.`, `Give @${user.username} the role Developer in the project or its group.`);
}

async function checkHook(gitlab: GitLabReads, projectId: number, input: HookNeeds, signal: AbortSignal) {
  const hooks = await readHooks(gitlab, projectId, signal);
  if (hooks === null) {
    return skipped(`Only a Maintainer may see webhooks. There should be one to ${input.webhookUrl}.`);
  }
  const more = [...(input.needsPipelines ? ['Pipeline'] : []), ...(input.wantsJobs ? ['Job'] : [])];
  const events = `${list(['Merge request', 'Comments', ...more])} events`;
  const ours = hooks.filter((hook) => hook.url.replace(/\/+$/, '') === input.webhookUrl);
  const [hook] = ours;
  if (hook === undefined) {
    const found = hooks.length === 0 ? 'There is none.' : `None of ${hooks.length} points at this manager.`;
    return failed(
      found,
      `Add one to ${input.webhookUrl} with ${events} and the secret of the configuration (a group's or the instance's will do, too).`,
    );
  }
  if (ours.length > 1) return warning(`${ours.length} point at ${input.webhookUrl}.`, 'Remove all but one.');
  if (!hook.mergeRequestsEvents || !hook.noteEvents || (input.needsPipelines && !hook.pipelineEvents)) {
    return failed('It does not send everything that is needed.', `Switch on ${events}.`);
  }
  if (hook.alertStatus !== null && hook.alertStatus !== 'executable') {
    return failed(
      `GitLab has switched it off (${hook.alertStatus}).`,
      'Make sure that GitLab reaches `publicUrl`, then test the webhook in GitLab.',
    );
  }
  if (input.wantsJobs && !hook.jobEvents) {
    return warning('It sends no Job events.', 'Switch them on: what a gate waits for is otherwise noticed later.');
  }
  return ok(`It sends to ${input.webhookUrl}.`);
}

/** `a, b and c`; of two or more. */
function list(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** null: the token may not see them. */
async function readHooks(gitlab: GitLabReads, projectId: number, signal: AbortSignal): Promise<CheckedHook[] | null> {
  try {
    return await gitlab.hooks(projectId, signal);
  } catch (error) {
    if (isAppError(error, 'gitlab-forbidden')) return null;
    throw error;
  }
}
