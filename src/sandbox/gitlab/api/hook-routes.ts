import { maintainer, requireLevel } from '../actions/access.js';
import { createHook, type NewHook, updateHook } from '../actions/hooks.js';
import { hookAnswer } from '../answers/hook-answer.js';
import { ApiError, badParameter } from '../api-error.js';
import { type Hook, type HookEvent, hookEvents } from '../hooks/hook.js';
import { sampleDelivery } from '../hooks/sample-delivery.js';
import type { HookSender } from '../hooks/send-hooks.js';
import type { Project } from '../model.js';
import { type Api, created, gone, listed, ok, projectOfCall } from './api.js';
import { type Call, flag, optional, param, required } from './call.js';

/** Webhooks of a project; all of it needs Maintainer. */
export function hookRoutes(sender: HookSender) {
  return ({ ctx, on }: Api): void => {
    const projectOf = (call: Call): Project => {
      const project = projectOfCall(ctx, call);
      requireLevel(project, call.user, maintainer);
      return project;
    };
    const find = (call: Call): { project: Project; hook: Hook } => {
      const project = projectOf(call);
      const hook = project.hooks.get(Number(param(call, 'hookId')));
      if (hook === undefined) throw new ApiError(404, { message: '404 Not found' });
      return { project, hook };
    };
    on('get', '/projects/:id/hooks', (call) => {
      const project = projectOf(call);
      return listed(ctx, call, [...project.hooks.values()], (hook) => hookAnswer(project, hook, ctx.clock()));
    });
    on('get', '/projects/:id/hooks/:hookId', (call) => {
      const { project, hook } = find(call);
      return ok(hookAnswer(project, hook, ctx.clock()));
    });
    on('post', '/projects/:id/hooks', (call) => {
      const project = projectOf(call);
      const { url } = required(call, 'url');
      const hook = createHook(ctx, project, { ...settingsOf(call), url: checkUrl(url) });
      return created(hookAnswer(project, hook, ctx.clock()));
    });
    on('put', '/projects/:id/hooks/:hookId', (call) => {
      const { project, hook } = find(call);
      updateHook(hook, { ...settingsOf(call), url: checkUrl(optional(call, 'url') ?? hook.url) });
      return ok(hookAnswer(project, hook, ctx.clock()));
    });
    on('delete', '/projects/:id/hooks/:hookId', (call) => {
      const { project, hook } = find(call);
      project.hooks.delete(hook.id);
      return gone;
    });
    on('post', '/projects/:id/hooks/:hookId/test/:trigger', async (call) => {
      const { project, hook } = find(call);
      const sample = await sampleDelivery(ctx, project, call.user, param(call, 'trigger'));
      if (sample === null) throw badParameter('trigger does not have a valid value');
      if (sample === 'nothing') throw new ApiError(422, { message: 'Ensure the project has what the event is about.' });
      const status = await sender.sendTest(project, hook, sample.header, sample.payload);
      if (status === null || status >= 400)
        throw new ApiError(422, { message: `The hook answered ${status ?? 'nothing'}` });
      return created({ message: '201 Created' });
    });
  };
}

function checkUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new ApiError(422, { error: 'Invalid url given' });
  return url;
}

function settingsOf(call: Call): Partial<NewHook> {
  const events: Partial<Record<HookEvent, boolean>> = {};
  for (const event of hookEvents) {
    const wanted = flag(call, event);
    if (wanted !== undefined) events[event] = wanted;
  }
  const settings = {
    token: optional(call, 'token'),
    signingToken: optional(call, 'signing_token'),
    name: optional(call, 'name'),
    description: optional(call, 'description'),
    pushEventsBranchFilter: optional(call, 'push_events_branch_filter'),
    enableSslVerification: flag(call, 'enable_ssl_verification'),
  };
  return { ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)), events };
}
