import { isDraft } from '../actions/merge-requests.js';
import type { GitLabContext } from '../context.js';
import type { MergeRequest, Project } from '../model.js';
import { type Call, flag, integer, list, oneOf, optional, time } from './call.js';

type Test = (mergeRequest: MergeRequest) => boolean;

/** The merge requests that the query asks for, in its order. */
export function filterMergeRequests(
  ctx: GitLabContext,
  call: Call,
  projects: Project[],
  defaultState: 'all' | 'opened',
): MergeRequest[] {
  const tests = testsOf(ctx, call, defaultState);
  const wanted: MergeRequest[] = [];
  for (const project of projects) {
    for (const mergeRequest of project.mergeRequests.values()) {
      if (tests.every((test) => test(mergeRequest))) wanted.push(mergeRequest);
    }
  }
  const by = oneOf(call, 'order_by', ['created_at', 'updated_at', 'merged_at', 'title'] as const) ?? 'created_at';
  const ascending = oneOf(call, 'sort', ['asc', 'desc'] as const) === 'asc';
  return wanted.sort((a, b) => (ascending ? compare(a, b, by) : compare(b, a, by)));
}

function compare(a: MergeRequest, b: MergeRequest, by: 'created_at' | 'updated_at' | 'merged_at' | 'title'): number {
  if (by === 'title') return a.title.localeCompare(b.title) || a.id - b.id;
  if (by === 'updated_at') return a.updatedAt - b.updatedAt || a.id - b.id;
  if (by === 'merged_at') return (a.mergedAt ?? 0) - (b.mergedAt ?? 0) || a.id - b.id;
  return a.createdAt - b.createdAt || a.id - b.id;
}

function testsOf(ctx: GitLabContext, call: Call, defaultState: 'all' | 'opened'): Test[] {
  const tests: Test[] = [];
  const add = <Value>(value: Value | undefined, make: (value: Value) => Test): void => {
    if (value !== undefined) tests.push(make(value));
  };
  const state = oneOf(call, 'state', ['opened', 'closed', 'locked', 'merged', 'all'] as const) ?? defaultState;
  if (state !== 'all') tests.push((one) => one.state === state);
  add(optional(call, 'source_branch'), (name) => (one) => one.sourceBranch === name);
  add(optional(call, 'target_branch'), (name) => (one) => one.targetBranch === name);
  add(time(call, 'updated_after'), (after) => (one) => one.updatedAt >= after);
  add(time(call, 'updated_before'), (before) => (one) => one.updatedAt <= before);
  add(time(call, 'created_after'), (after) => (one) => one.createdAt >= after);
  add(time(call, 'created_before'), (before) => (one) => one.createdAt <= before);
  add(integer(call, 'author_id'), (id) => (one) => one.authorId === id);
  add(optional(call, 'author_username'), (name) => (one) => ctx.index.userIds.get(name) === one.authorId);
  add(optional(call, 'wip'), (wip) => (one) => isDraft(one.title) === (wip === 'yes'));
  add(flag(call, 'draft'), (draft) => (one) => isDraft(one.title) === draft);
  add(optional(call, 'search'), (text) => (one) => `${one.title} ${one.description}`.includes(text));
  add(allValues(call, 'iids'), (iids) => (one) => iids.includes(String(one.iid)));
  add(list(call, 'labels'), labelTest);
  add(list(call, 'not[labels]'), (labels) => (one) => !labels.some((label) => one.labels.includes(label)));
  return tests;
}

function labelTest(labels: string[]): Test {
  if (labels.includes('None')) return (one) => one.labels.length === 0;
  if (labels.includes('Any')) return (one) => one.labels.length > 0;
  return (one) => labels.every((label) => one.labels.includes(label));
}

/** `iids[]=1&iids[]=2`: the query names it more than once. */
function allValues(call: Call, name: string): string[] | undefined {
  const query = new URLSearchParams(call.rawQuery);
  const values = [...query.getAll(`${name}[]`), ...query.getAll(name)];
  return values.length === 0 ? undefined : values;
}
