import type { GitLabContext } from '../context.js';
import { type Hook, type HookEvent, hookEvents } from '../hooks/hook.js';
import type { Project } from '../model.js';
import { nextId } from '../state.js';

export interface NewHook {
  url: string;
  token?: string | null;
  /** `whsec_<base64>`; signs each delivery. */
  signingToken?: string | null;
  name?: string;
  description?: string;
  /** Default: pushes only, as GitLab has it. */
  events?: Partial<Record<HookEvent, boolean>>;
  pushEventsBranchFilter?: string;
  enableSslVerification?: boolean;
}

export function createHook(ctx: GitLabContext, project: Project, input: NewHook): Hook {
  const events = Object.fromEntries(hookEvents.map((event) => [event, event === 'push_events']));
  const hook: Hook = {
    id: nextId(ctx.state, 'hook'),
    url: input.url,
    name: input.name ?? '',
    description: input.description ?? '',
    token: input.token ?? null,
    signingToken: input.signingToken ?? null,
    events: { ...events, ...input.events } as Hook['events'],
    pushEventsBranchFilter: input.pushEventsBranchFilter ?? '',
    enableSslVerification: input.enableSslVerification ?? true,
    createdAt: ctx.clock(),
    recentFailures: 0,
    disabledUntil: null,
  };
  project.hooks.set(hook.id, hook);
  return hook;
}

/** Changes what is given; a new address forgets the token, as GitLab does. */
export function updateHook(hook: Hook, change: Partial<NewHook>): void {
  if (change.url !== undefined && change.url !== hook.url) {
    hook.url = change.url;
    hook.token = null;
  }
  if (change.token !== undefined) hook.token = change.token;
  if (change.signingToken !== undefined) hook.signingToken = change.signingToken;
  hook.name = change.name ?? hook.name;
  hook.description = change.description ?? hook.description;
  hook.events = { ...hook.events, ...change.events };
  hook.pushEventsBranchFilter = change.pushEventsBranchFilter ?? hook.pushEventsBranchFilter;
  hook.enableSslVerification = change.enableSslVerification ?? hook.enableSslVerification;
}
