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
    // What another filter refuses is not the label's doing.
    [{}, { labels: ['no-preview'], draft: true }, 'unfollowed'],
  ])('%j on %j: %s', (change, facts, expected) => {
    const verdict = followVerdict({ ...filters, ...change }, someFacts(facts));
    expect(verdict.follows ? 'follows' : verdict.reason).toBe(expected);
  });
});
