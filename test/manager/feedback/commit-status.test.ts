import { describe, expect, it } from 'vitest';
import { wantedStatus } from '../../../src/manager/feedback/commit-status.js';
import type { Preview } from '../../../src/preview/preview.js';
import { memberOf, olderSha, sha, viewOf } from './view.js';

const wanted = (preview: Partial<Preview>, blocking: boolean, posted: { sha: string; state: string } | null = null) =>
  wantedStatus(viewOf(preview), blocking, posted === null ? null : { ...posted, name: 'mayfly/preview' });

describe('a status that must not stand in the way of a merge', () => {
  it('is success when ready, for the deployed sha', () => {
    expect(wanted({ members: [memberOf({ deployedSha: olderSha })] }, false)).toEqual({
      sha: olderSha,
      state: 'success',
      description: 'Preview ready',
      targetUrl: 'https://shop-42.preview.example.com',
    });
  });

  it.each(['waiting', 'deploying', 'failed', 'asleep', 'stopping', 'stopped'] as const)('is none when %s', (phase) => {
    expect(wanted({ phase }, false)).toBeNull();
    expect(wanted({ phase }, false, { sha, state: 'success' })).toBeNull();
  });
});

describe('a status that blocks', () => {
  it('is running once the commit was rendered, not before', () => {
    expect(wanted({ phase: 'deploying' }, true)).toMatchObject({ sha, state: 'running' });
    expect(wanted({ phase: 'deploying', wantedRevision: null }, true)).toBeNull();
    expect(wanted({ phase: 'waiting' }, true)).toBeNull();
  });

  it('ends with what became of it', () => {
    expect(wanted({ phase: 'ready' }, true)).toMatchObject({ sha, state: 'success' });
    expect(wanted({ phase: 'failed', cause: 'health' }, true)).toMatchObject({ sha, state: 'failed' });
  });

  it.each(['stopping', 'stopped'] as const)('that was running is let go when %s', (phase) => {
    const posted = { sha: olderSha, state: 'running' };
    expect(wanted({ phase }, true, posted)).toMatchObject({ sha: olderSha, state: 'success', description: 'stopped' });
    expect(wanted({ phase }, true, { sha, state: 'failed' })).toBeNull();
    expect(wanted({ phase }, true)).toBeNull();
  });
});
