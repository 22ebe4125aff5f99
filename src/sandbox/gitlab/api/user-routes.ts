import { accessLevel, maintainer, requireLevel } from '../actions/access.js';
import { addMember, createToken, createUser } from '../actions/users.js';
import { basicUser, currentUser, memberAnswer, tokenAnswer } from '../answers/user-answer.js';
import { badParameter, conflict, forbidden, notFound } from '../api-error.js';
import type { AccessLevel, Project } from '../model.js';
import { type Api, created, gone, listed, ok, projectOfCall } from './api.js';
import { type Call, integer, param, required } from './call.js';

const levels: readonly AccessLevel[] = [0, 5, 10, 15, 20, 30, 40, 50];
const version = { version: '18.6.0-ee', revision: 'standin0' };

/** Users, tokens, members, and what the instance says of itself. */
export function userRoutes(api: Api): void {
  const { ctx, on } = api;
  on('get', '/version', () => ok(version));
  on('get', '/metadata', () => {
    const kas = { enabled: false, externalUrl: null, externalK8sProxyUrl: null, version: null };
    return ok({ ...version, kas, enterprise: true });
  });
  on('get', '/user', (call) => ok(currentUser(ctx, call.user)));
  on('get', '/personal_access_tokens/self', (call) => ok(tokenAnswer(call.token, ctx.clock())));
  on('get', '/users', (call) => {
    const { username, search } = call.query;
    const wanted = [...ctx.state.users.values()].filter(
      (user) =>
        (username === undefined || user.username.toLowerCase() === username.toLowerCase()) &&
        (search === undefined || `${user.username} ${user.name}`.toLowerCase().includes(search.toLowerCase())),
    );
    return listed(ctx, call, wanted, (user) => basicUser(ctx, user));
  });
  on('post', '/users', (call) => {
    if (!call.user.admin) throw forbidden();
    const { username, name, email } = required(call, 'username', 'name', 'email');
    return created(currentUser(ctx, createUser(ctx, { username, name, email })));
  });
  on('get', '/users/:userId', (call) => {
    const user = ctx.state.users.get(Number(param(call, 'userId')));
    if (user === undefined) throw notFound('User');
    return ok(basicUser(ctx, user));
  });
  on('post', '/users/:userId/personal_access_tokens', (call) => {
    if (!call.user.admin) throw forbidden();
    const user = ctx.state.users.get(Number(param(call, 'userId')));
    if (user === undefined) throw notFound('User');
    const { name } = required(call, 'name');
    const token = createToken(ctx, { user, name });
    return created({ ...tokenAnswer(token, ctx.clock()), token: token.value });
  });
  memberRoutes(api);
}

function levelOf(call: Call): AccessLevel {
  const level = integer(call, 'access_level');
  if (level === undefined) throw badParameter('access_level is missing');
  const found = levels.find((one) => one === level);
  if (found === undefined) throw badParameter('access_level does not have a valid value');
  return found;
}

function memberRoutes({ ctx, on }: Api): void {
  const members = (project: Project, inherited: boolean) =>
    [...project.members.values()].filter((member) => inherited || !member.inherited);
  for (const [path, inherited] of [
    ['/projects/:id/members', false],
    ['/projects/:id/members/all', true],
  ] as const) {
    on('get', path, (call) =>
      listed(ctx, call, members(projectOfCall(ctx, call), inherited), (member) => memberAnswer(ctx, member)),
    );
  }
  for (const [path, inherited] of [
    ['/projects/:id/members/all/:userId', true],
    ['/projects/:id/members/:userId', false],
  ] as const) {
    on('get', path, (call) => {
      const member = projectOfCall(ctx, call).members.get(Number(param(call, 'userId')));
      if (member === undefined || (member.inherited && !inherited)) throw notFound('Not found');
      return ok(memberAnswer(ctx, member));
    });
  }
  on('post', '/projects/:id/members', (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, maintainer);
    const user = ctx.state.users.get(integer(call, 'user_id') ?? -1);
    if (user === undefined) throw notFound('User');
    if (project.members.has(user.id)) throw conflict('Member already exists');
    addMember(ctx, project, user, levelOf(call));
    const member = project.members.get(user.id);
    return created(member === undefined ? null : memberAnswer(ctx, member));
  });
  on('put', '/projects/:id/members/:userId', (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, maintainer);
    const member = project.members.get(Number(param(call, 'userId')));
    if (member === undefined) throw notFound('Not found');
    member.accessLevel = levelOf(call);
    return ok(memberAnswer(ctx, member));
  });
  on('delete', '/projects/:id/members/:userId', (call) => {
    const project = projectOfCall(ctx, call);
    const userId = Number(param(call, 'userId'));
    if (userId !== call.user.id && accessLevel(project, call.user) < maintainer) throw forbidden();
    if (!project.members.delete(userId)) throw notFound('Member');
    return gone;
  });
}
