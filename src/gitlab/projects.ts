import { Metadata, PersonalAccessTokens, ProjectHooks, ProjectMembers, Projects, Users } from '@gitbeaker/rest';
import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import { type GitLab, parseAnswer } from './client.js';

export interface GitLabProject {
  id: number;
  /** With the group, such as `acme/shop`; changes when the project is renamed. */
  path: string;
  webUrl: string;
  cloneUrl: string;
  visibility: string;
}

const projectSchema = z.object({
  id: z.number(),
  path_with_namespace: z.string(),
  web_url: z.string(),
  http_url_to_repo: z.string(),
  visibility: z.string().optional(),
});

/** A project by its numeric id or its path. Errors: those of gitlab-error.ts; `gitlab-moved` after a rename. */
export async function getProject(
  gitlab: GitLab,
  input: { project: number | string; signal?: AbortSignal },
): Promise<GitLabProject> {
  const call = 'project.read';
  const shown = await new Projects(gitlab.at(call, input.signal)).show(input.project);
  const project = parseAnswer(call, projectSchema, shown);
  return {
    id: project.id,
    path: project.path_with_namespace,
    webUrl: project.web_url,
    cloneUrl: project.http_url_to_repo,
    visibility: project.visibility ?? 'private',
  };
}

/**
 * The access level of a user in a project, inherited ones included: 30 is Developer; 0 when the user is no member.
 * Errors: those of gitlab-error.ts. A 404 counts as 'no member', so ask only about a project that was just readable.
 */
export async function memberAccess(
  gitlab: GitLab,
  input: { projectId: number; userId: number; signal?: AbortSignal },
): Promise<number> {
  const call = 'member.read';
  const resource = new ProjectMembers(gitlab.at(call, input.signal));
  try {
    const shown = await resource.show(input.projectId, input.userId, { includeInherited: true });
    const schema = z.object({ access_level: z.number(), state: z.string().optional() });
    const member = parseAnswer(call, schema, shown);
    // A blocked or merely invited user has a level, but no say.
    return member.state === undefined || member.state === 'active' ? member.access_level : 0;
  } catch (error) {
    if (isAppError(error, 'gitlab-not-found')) return 0;
    throw error;
  }
}

/** The user that the token acts as. */
export async function currentUser(
  gitlab: GitLab,
  input: { signal?: AbortSignal } = {},
): Promise<{ id: number; username: string }> {
  const call = 'user.read';
  const shown = await new Users(gitlab.at(call, input.signal)).showCurrentUser();
  return parseAnswer(call, z.object({ id: z.number(), username: z.string() }), shown);
}

/** The token's own scopes and end; null where GitLab cannot say (an OAuth token). */
export async function ownToken(
  gitlab: GitLab,
  input: { signal?: AbortSignal } = {},
): Promise<{ scopes: string[]; expiresAt: string | null } | null> {
  const call = 'token.read';
  try {
    const shown = await new PersonalAccessTokens(gitlab.at(call, input.signal)).show();
    const schema = z.object({ scopes: z.array(z.string()), expires_at: z.string().nullish() });
    const token = parseAnswer(call, schema, shown);
    return { scopes: token.scopes, expiresAt: token.expires_at ?? null };
  } catch (error) {
    if (isAppError(error, 'gitlab-not-found')) return null;
    throw error;
  }
}

/** GitLab's version, such as `18.5.0`. */
export async function gitlabVersion(gitlab: GitLab, input: { signal?: AbortSignal } = {}): Promise<string> {
  const call = 'metadata.read';
  const shown = await new Metadata(gitlab.at(call, input.signal)).show();
  return parseAnswer(call, z.object({ version: z.string() }), shown).version;
}

export interface ProjectHook {
  id: number;
  url: string;
  pushEvents: boolean;
  mergeRequestsEvents: boolean;
  noteEvents: boolean;
  pipelineEvents: boolean;
  jobEvents: boolean;
  /** `executable`, or `disabled` after too many failures. */
  alertStatus: string | null;
}

const hooksSchema = z.array(
  z
    .object({
      id: z.number(),
      url: z.string(),
      push_events: z.boolean(),
      merge_requests_events: z.boolean(),
      note_events: z.boolean(),
      pipeline_events: z.boolean(),
      job_events: z.boolean(),
      alert_status: z.string().nullish(),
    })
    .transform(
      (hook): ProjectHook => ({
        id: hook.id,
        url: hook.url,
        pushEvents: hook.push_events,
        mergeRequestsEvents: hook.merge_requests_events,
        noteEvents: hook.note_events,
        pipelineEvents: hook.pipeline_events,
        jobEvents: hook.job_events,
        alertStatus: hook.alert_status ?? null,
      }),
    ),
);

/** Webhooks of a project; needs the role Maintainer, `gitlab-forbidden` otherwise. */
export async function listHooks(
  gitlab: GitLab,
  input: { projectId: number; signal?: AbortSignal },
): Promise<ProjectHook[]> {
  const call = 'hook.list';
  const hooks = await new ProjectHooks(gitlab.at(call, input.signal)).all(input.projectId, { perPage: 100 });
  return parseAnswer(call, hooksSchema, hooks);
}
