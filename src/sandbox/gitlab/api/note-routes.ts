import { accessLevel, maintainer } from '../actions/access.js';
import { awardEmoji, createNote, deleteNote, revokeEmoji, updateNote } from '../actions/notes.js';
import { awardAnswer, discussionAnswers, noteAnswer } from '../answers/note-answer.js';
import { ApiError, forbidden, notFound } from '../api-error.js';
import type { Award, MergeRequest, Note, Project } from '../model.js';
import { type Api, created, gone, listed, mergeRequestOfCall, ok, projectOfCall } from './api.js';
import { type Call, flag, oneOf, param, required, time } from './call.js';

const base = '/projects/:id/merge_requests/:iid';

interface Place {
  project: Project;
  mergeRequest: MergeRequest;
}

/** Comments, threads and emoji. */
export function noteRoutes(api: Api): void {
  noteCrud(api);
  discussionRoutes(api);
  for (const path of [`${base}/award_emoji`, `${base}/notes/:noteId/award_emoji`]) emojiRoutes(api, path);
}

function placeOf({ ctx }: Api, call: Call): Place {
  const project = projectOfCall(ctx, call);
  return { project, mergeRequest: mergeRequestOfCall(project, call) };
}

function noteOf(call: Call, { mergeRequest }: Place): Note {
  const note = mergeRequest.notes.get(Number(param(call, 'noteId')));
  if (note === undefined) throw new ApiError(404, { message: '404 Not found' });
  return note;
}

function noteCrud(api: Api): void {
  const { ctx, on } = api;
  on('get', `${base}/notes`, (call) => {
    const { project, mergeRequest } = placeOf(api, call);
    const filter = oneOf(call, 'activity_filter', ['all_notes', 'only_comments', 'only_activity'] as const);
    const notes = [...mergeRequest.notes.values()].filter(
      (note) => filter === undefined || filter === 'all_notes' || note.system === (filter === 'only_activity'),
    );
    const by = oneOf(call, 'order_by', ['created_at', 'updated_at'] as const) ?? 'created_at';
    const when = (note: Note): number => (by === 'updated_at' ? note.updatedAt : note.createdAt);
    const sign = oneOf(call, 'sort', ['asc', 'desc'] as const) === 'asc' ? 1 : -1;
    notes.sort((a, b) => sign * (when(a) - when(b) || a.id - b.id));
    return listed(ctx, call, notes, (note) => noteAnswer(ctx, project, mergeRequest, note));
  });
  on('get', `${base}/notes/:noteId`, (call) => {
    const place = placeOf(api, call);
    return ok(noteAnswer(ctx, place.project, place.mergeRequest, noteOf(call, place)));
  });
  on('post', `${base}/notes`, (call) => {
    const { project, mergeRequest } = placeOf(api, call);
    const { body } = required(call, 'body');
    const internal = flag(call, 'internal') ?? flag(call, 'confidential') ?? false;
    const note = createNote(ctx, project, mergeRequest, call.user, { body, internal });
    return created(noteAnswer(ctx, project, mergeRequest, note));
  });
  on('put', `${base}/notes/:noteId`, (call) => {
    const place = placeOf(api, call);
    const note = noteOf(call, place);
    mayEdit(call, place.project, note);
    updateNote(ctx, place.project, place.mergeRequest, note, required(call, 'body').body);
    return ok(noteAnswer(ctx, place.project, place.mergeRequest, note));
  });
  on('delete', `${base}/notes/:noteId`, (call) => {
    const place = placeOf(api, call);
    const note = noteOf(call, place);
    mayEdit(call, place.project, note);
    deleteNote(ctx, place.project, place.mergeRequest, note);
    return gone;
  });
}

function mayEdit(call: Call, project: Project, note: Note): void {
  if (note.system || (note.authorId !== call.user.id && accessLevel(project, call.user) < maintainer)) {
    throw forbidden();
  }
}

function discussionRoutes(api: Api): void {
  const { ctx, on } = api;
  on('get', `${base}/discussions`, (call) => {
    const { project, mergeRequest } = placeOf(api, call);
    return listed(ctx, call, discussionAnswers(ctx, project, mergeRequest), (discussion) => discussion);
  });
  const one = (place: Place, id: string) => {
    const all = discussionAnswers(ctx, place.project, place.mergeRequest);
    const found = all.find((discussion) => discussion.id === id);
    if (found === undefined) throw notFound('Discussion');
    return found;
  };
  on('get', `${base}/discussions/:discussionId`, (call) => ok(one(placeOf(api, call), param(call, 'discussionId'))));
  on('post', `${base}/discussions`, (call) => {
    const place = placeOf(api, call);
    const { body } = required(call, 'body');
    const createdAt = time(call, 'created_at');
    const input = { body, thread: true, ...(createdAt === undefined ? {} : { createdAt }) };
    const note = createNote(ctx, place.project, place.mergeRequest, call.user, input);
    return created(one(place, note.discussionId));
  });
  on('post', `${base}/discussions/:discussionId/notes`, (call) => {
    const place = placeOf(api, call);
    const discussionId = param(call, 'discussionId');
    one(place, discussionId);
    const { body } = required(call, 'body');
    const note = createNote(ctx, place.project, place.mergeRequest, call.user, { body, discussionId });
    return created(noteAnswer(ctx, place.project, place.mergeRequest, note));
  });
  on('put', `${base}/discussions/:discussionId`, (call) => {
    const place = placeOf(api, call);
    const discussionId = param(call, 'discussionId');
    if (one(place, discussionId).individual_note) throw new ApiError(400, { message: '400 Bad request' });
    for (const note of place.mergeRequest.notes.values()) {
      if (note.discussionId === discussionId) note.resolved = flag(call, 'resolved') ?? false;
    }
    return ok(one(place, discussionId));
  });
  on('put', `${base}/discussions/:discussionId/notes/:noteId`, (call) => {
    const place = placeOf(api, call);
    const note = noteOf(call, place);
    mayEdit(call, place.project, note);
    updateNote(ctx, place.project, place.mergeRequest, note, required(call, 'body').body);
    return ok(noteAnswer(ctx, place.project, place.mergeRequest, note));
  });
  on('delete', `${base}/discussions/:discussionId/notes/:noteId`, (call) => {
    const place = placeOf(api, call);
    const note = noteOf(call, place);
    mayEdit(call, place.project, note);
    deleteNote(ctx, place.project, place.mergeRequest, note);
    return gone;
  });
}

function emojiRoutes(api: Api, path: string): void {
  const { ctx, on } = api;
  const target = (call: Call) => {
    const place = placeOf(api, call);
    const note = call.params.noteId === undefined ? null : noteOf(call, place);
    return { ...place, note, awards: (note ?? place.mergeRequest).awards };
  };
  const awardOf = (call: Call, awards: Award[]): Award => {
    const award = awards.find(({ id }) => id === Number(param(call, 'awardId')));
    if (award === undefined) throw notFound('Award Emoji');
    return award;
  };
  on('get', path, (call) => {
    const { mergeRequest, note, awards } = target(call);
    return listed(ctx, call, awards, (award) => awardAnswer(ctx, mergeRequest, note, award));
  });
  on('get', `${path}/:awardId`, (call) => {
    const { mergeRequest, note, awards } = target(call);
    return ok(awardAnswer(ctx, mergeRequest, note, awardOf(call, awards)));
  });
  on('post', path, (call) => {
    const { project, mergeRequest, note } = target(call);
    const { name } = required(call, 'name');
    return created(awardAnswer(ctx, mergeRequest, note, awardEmoji(ctx, project, mergeRequest, note, call.user, name)));
  });
  on('delete', `${path}/:awardId`, (call) => {
    const { project, mergeRequest, note, awards } = target(call);
    const award = awardOf(call, awards);
    if (award.userId !== call.user.id && !call.user.admin) throw forbidden();
    revokeEmoji(ctx, project, mergeRequest, note, award);
    return gone;
  });
}
