import { canRead, maintainer, requireLevel } from '../actions/access.js';
import { createGroup, labelOf } from '../actions/projects.js';
import { groupAnswer, projectAnswer } from '../answers/project-answer.js';
import { badRequest, conflict, forbidden, notFound } from '../api-error.js';
import type { Group, Label } from '../model.js';
import { type Api, created, listed, ok, projectOfCall } from './api.js';
import { type Call, integer, optional, param, required } from './call.js';

/** Groups and labels. */
export function groupRoutes({ ctx, on }: Api): void {
  const find = (call: Call): Group => {
    const wanted = param(call, 'id');
    const group = [...ctx.state.groups.values()].find(({ id, path }) => path === wanted || String(id) === wanted);
    if (group === undefined) throw notFound('Group');
    return group;
  };
  on('get', '/groups', (call) => listed(ctx, call, [...ctx.state.groups.values()], (group) => groupAnswer(ctx, group)));
  on('post', '/groups', (call) => {
    if (!call.user.admin) throw forbidden();
    const { path } = required(call, 'path', 'name');
    const parent = [...ctx.state.groups.values()].find(({ id }) => id === integer(call, 'parent_id'));
    const full = parent === undefined ? path : `${parent.path}/${path}`;
    if (ctx.state.groups.has(full)) throw badRequest({ path: ['has already been taken'] });
    createGroup(ctx, full);
    const group = ctx.state.groups.get(full);
    return created(group === undefined ? null : groupAnswer(ctx, group));
  });
  on('get', '/groups/:id', (call) => ok(groupAnswer(ctx, find(call))));
  on('get', '/groups/:id/projects', (call) => {
    const group = find(call);
    const inside = [...ctx.state.projects.values()].filter(
      (project) => project.path.startsWith(`${group.path}/`) && canRead(project, call.user),
    );
    return listed(ctx, call, inside, (project) => projectAnswer(ctx, project, call.user));
  });

  const label = (one: Label) => ({
    id: one.id,
    name: one.title,
    description: one.description,
    description_html: one.description,
    text_color: '#FFFFFF',
    color: one.color,
    subscribed: false,
    priority: null,
    is_project_label: true,
  });
  on('get', '/projects/:id/labels', (call) => listed(ctx, call, [...projectOfCall(ctx, call).labels.values()], label));
  on('post', '/projects/:id/labels', (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, maintainer - 10);
    const { name, color } = required(call, 'name', 'color');
    if (project.labels.has(name)) throw conflict('Label already exists');
    const made = labelOf(ctx, project, name);
    made.color = color;
    made.description = optional(call, 'description') ?? null;
    return created(label(made));
  });
}
