import { describe, expect, test } from 'vitest';
import { followVerdict } from '../../src/preview/follow.js';
import { basePolicy } from './model/world.js';
import { someFacts } from './samples.js';

const filters = {
  ...basePolicy.follow,
  targetBranches: ['main', 'release/*'],
  sourceBranches: ['f*'],
  authorsNone: ['renovate-bot'],
};

describe('the filters', () => {
  test.each([
    [{}, {}, 'follows'],
    [{}, { targetBranch: 'release/1' }, 'follows'],
    [{}, { targetBranch: 'develop' }, 'unfollowed'],
    [{}, { sourceBranch: 'docs' }, 'unfollowed'],
    [{}, { authorUsername: 'renovate-bot' }, 'unfollowed'],
    [{}, { draft: true }, 'unfollowed'],
    [{ drafts: true }, { draft: true }, 'follows'],
    [{}, { sourceProjectId: 8 }, 'unfollowed'],
    [{}, { sourceProjectId: null }, 'unfollowed'],
    [{ forks: 'always' as const }, { sourceProjectId: 8 }, 'follows'],
    [{}, { labels: ['no-preview', 'bug'] }, 'label'],
    [{ labelsAny: ['preview'] }, { labels: ['bug'] }, 'label'],
    [{ labelsAny: ['preview', 'bug'] }, { labels: ['bug'] }, 'follows'],
    [{ labelsAny: ['bug'] }, { labels: ['bug', 'no-preview'] }, 'label'],
    [{ labelsAll: ['a', 'b'] }, { labels: ['a'] }, 'label'],
    [{ labelsAll: ['a', 'b'] }, { labels: ['b', 'a', 'c'] }, 'follows'],
    [{ authorsAny: ['bob'] }, {}, 'unfollowed'],
    [{ authorsAny: ['bob', 'alice'] }, {}, 'follows'],
    [{ authorsAny: ['alice'], authorsNone: ['alice'] }, {}, 'unfollowed'],
    [{ forks: 'approved' as const }, { sourceProjectId: 8 }, 'follows'],
    [{ optInLabel: 'preview' }, {}, 'label'],
    [{ optInLabel: 'preview' }, { labels: ['preview'] }, 'follows'],
    [{ optInLabel: 'preview' }, { labels: ['preview', 'no-preview'] }, 'label'],
    // What another filter refuses is not the label's doing.
    [{}, { labels: ['no-preview'], draft: true }, 'unfollowed'],
  ])('%j on %j: %s', (change, facts, expected) => {
    const verdict = followVerdict({ ...filters, ...change }, someFacts(facts), false);
    expect(verdict.follows ? 'follows' : verdict.reason).toBe(expected);
  });
});

describe('a member’s `/preview start`', () => {
  test.each([
    [{}, { draft: true }, 'follows'],
    [{ labelsAny: ['preview'] }, {}, 'follows'],
    [{ labelsAll: ['preview', 'bug'] }, { labels: ['bug'] }, 'follows'],
    [{ optInLabel: 'preview' }, {}, 'follows'],
    [{}, { labels: ['no-preview'] }, 'label'],
    [{}, { targetBranch: 'develop' }, 'unfollowed'],
    [{}, { sourceBranch: 'docs' }, 'unfollowed'],
    [{}, { authorUsername: 'renovate-bot' }, 'unfollowed'],
    [{ authorsAny: ['bob'] }, {}, 'unfollowed'],
    [{}, { sourceProjectId: 8 }, 'unfollowed'],
  ])('with %j on %j: %s', (change, facts, expected) => {
    const verdict = followVerdict({ ...filters, ...change }, someFacts(facts), true);
    expect(verdict.follows ? 'follows' : verdict.reason).toBe(expected);
  });
});

describe('the rule that refuses is named', () => {
  test.each([
    [{}, { draft: true }, '`follow.drafts: false`'],
    [{}, { targetBranch: 'develop' }, '`follow.targetBranches`'],
    [{}, { sourceBranch: 'docs' }, '`follow.sourceBranches`'],
    [{}, { authorUsername: 'renovate-bot' }, '`follow.authors.none`'],
    [{ authorsAny: ['bob'] }, {}, '`follow.authors.any`'],
    [{}, { sourceProjectId: 8 }, '`follow.forks: never`'],
    [{}, { labels: ['no-preview'] }, 'no-preview of `follow.labels.none`'],
    [{ labelsAny: ['x', 'y'] }, {}, 'x, y of `follow.labels.any`'],
    [{ labelsAll: ['x', 'y'] }, { labels: ['x'] }, 'lacks the label y of `follow.labels.all`'],
    [{ optInLabel: 'show' }, {}, 'neither the label show nor was `/preview start`'],
  ])('%j on %j: %s', (change, facts, words) => {
    const verdict = followVerdict({ ...filters, ...change }, someFacts(facts), false);
    expect(verdict.follows ? '' : verdict.detail).toContain(words);
  });
});
