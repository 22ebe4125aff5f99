import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { reduceDelivery } from '../../../src/manager/receive/delivery-facts.js';
import { jobPayload, mergeRequestPayload, notePayload, pipelinePayload, pushPayload, sha } from './payloads.js';

describe('a merge request event', () => {
  it('becomes a hint about the target project', () => {
    expect(reduceDelivery(mergeRequestPayload())).toEqual({
      facts: { event: 'merge_request', projectId: 5, iid: 42, updatedAt: Date.UTC(2026, 2, 4, 10) },
      projectPath: 'acme/shop',
    });
  });

  it.each([
    ['no last commit', { last_commit: null }],
    ['no source, its fork is gone', { source: null, source_project_id: null }],
    ['no target', { target: null }],
    ['the other form of time', { updated_at: '2026-03-04T10:00:00Z' }],
  ])('is understood with %s', (_, change) => {
    expect(reduceDelivery(mergeRequestPayload(change))).toMatchObject({ facts: { projectId: 5, iid: 42 } });
  });

  it.each([
    ['a negative number', { iid: -1 }],
    ['a number that no database takes', { iid: 2 ** 31 }],
    ['a time that is none', { updated_at: 'yesterday' }],
    ['an id that is text', { target_project_id: '5' }],
  ])('is malformed with %s', (_, change) => {
    expect(reduceDelivery(mergeRequestPayload(change))).toBe('malformed');
  });
});

describe('a job event', () => {
  it('that ended names its commit', () => {
    expect(reduceDelivery(jobPayload())).toEqual({
      facts: { event: 'job', projectId: 5, iid: null, sha, status: 'success' },
      projectPath: 'acme/shop',
    });
  });

  it('of a merge request pipeline names the merge request', () => {
    for (const ref of ['refs/merge-requests/42/head', 'refs/merge-requests/42/merge', 'refs/merge-requests/42/train']) {
      expect(reduceDelivery(jobPayload({ ref }))).toMatchObject({ facts: { event: 'job', iid: 42 } });
    }
    expect(reduceDelivery(jobPayload({ ref: 'refs/merge-requests/99999999999/head' }))).toMatchObject({
      facts: { iid: null },
    });
  });

  it('that goes on says nothing', () => {
    for (const build_status of ['created', 'pending', 'running']) {
      expect(reduceDelivery(jobPayload({ build_status }))).toBe('uninteresting');
    }
  });

  it.each([{ sha: 'x' }, { project_id: 'five' }, { build_status: null }])('is malformed with %j', (change) => {
    expect(reduceDelivery(jobPayload(change))).toBe('malformed');
  });
});

describe('a pipeline event', () => {
  it('names its merge request', () => {
    expect(reduceDelivery(pipelinePayload())).toMatchObject({
      facts: { event: 'pipeline', projectId: 5, iid: 42, sha, status: 'success' },
    });
  });

  it('of a branch has only its commit', () => {
    expect(reduceDelivery(pipelinePayload({}, false))).toMatchObject({ facts: { projectId: 5, iid: null, sha } });
  });

  it('of a fork belongs to the target project', () => {
    const payload = { ...pipelinePayload(), project: { id: 77, path_with_namespace: 'eve/shop' } };
    expect(reduceDelivery(payload)).toEqual({
      facts: { event: 'pipeline', projectId: 5, iid: 42, sha, status: 'success' },
      projectPath: null,
    });
  });

  it.each([
    ['made by commit statuses', { source: 'external' }],
    ['that only waits', { status: 'pending' }],
  ])('%s says nothing', (_, change) => {
    expect(reduceDelivery(pipelinePayload(change))).toBe('uninteresting');
  });
});

describe('a note event', () => {
  it('with a command names the note', () => {
    expect(reduceDelivery(notePayload())).toMatchObject({
      facts: { event: 'note', projectId: 5, iid: 42, noteId: 1244 },
    });
  });

  it('of a version without `action` counts as written', () => {
    expect(reduceDelivery(notePayload({ action: undefined }))).toMatchObject({ facts: { noteId: 1244 } });
  });

  it.each([
    ['that edits', { action: 'update' }],
    ['by GitLab itself', { system: true }],
    ['on an issue', { noteable_type: 'Issue' }],
    ['without a command', { note: 'looks good' }],
    ['without text', { note: null }],
  ])('%s says nothing', (_, change) => {
    expect(reduceDelivery(notePayload(change))).toBe('uninteresting');
  });

  it('without its merge request says nothing', () => {
    expect(reduceDelivery({ ...notePayload(), merge_request: null })).toBe('uninteresting');
  });
});

describe('a push event', () => {
  it('names the branch', () => {
    expect(reduceDelivery(pushPayload())).toEqual({
      facts: { event: 'push', projectId: 9, branch: 'dynamic-envs' },
      projectPath: 'platform/environments',
    });
  });

  it('of a system hook is the same', () => {
    const { object_kind: _, ...payload } = pushPayload();
    expect(reduceDelivery(payload)).toMatchObject({ facts: { event: 'push', branch: 'dynamic-envs' } });
  });

  it('of a tag says nothing', () => {
    expect(reduceDelivery(pushPayload({ ref: 'refs/tags/v1' }))).toBe('uninteresting');
  });
});

test.each([['text'], [null], [[]], [7]])('%j is malformed', (body) => {
  expect(reduceDelivery(body)).toBe('malformed');
});

test('names from Object.prototype are no events', () => {
  expect(reduceDelivery({ object_kind: 'constructor' })).toBe('uninteresting');
});

const documented = fileURLToPath(new URL('../../../../shared/gitlab/webhooks/', import.meta.url));

describe.skipIf(!existsSync(documented))(
  'payloads of GitLab’s documentation (skipped where they are not at hand)',
  () => {
    const read = (name: string) => JSON.parse(readFileSync(`${documented}${name}`, 'utf8'));

    test('none is malformed, and only these four are of interest', () => {
      const files = readdirSync(documented).filter((name) => name.endsWith('.json'));
      const reduced = files.map((name) => [name, reduceDelivery(read(name))] as const);
      expect(reduced.filter(([, result]) => result === 'malformed')).toEqual([]);
      const interesting = reduced.filter(([, result]) => result !== 'uninteresting').map(([name]) => name);
      expect(interesting.sort()).toEqual(['merge_request.json', 'pipeline.json', 'push.json']);
    });

    test('the merge request is the target project’s', () => {
      expect(reduceDelivery(read('merge_request.json'))).toMatchObject({
        facts: { projectId: 14, iid: 1, updatedAt: Date.UTC(2013, 11, 3, 17, 23, 34) },
        projectPath: 'awesome_space/awesome_project',
      });
    });

    test('the pipeline names its merge request', () => {
      expect(reduceDelivery(read('pipeline.json'))).toMatchObject({
        facts: { event: 'pipeline', projectId: 1, iid: 1, sha: 'bcbb5ec396a2c0f828686f14fac9b80b780504f2' },
      });
    });

    test('the note has no command', () => {
      const payload = read('note_merge_request.json');
      expect(reduceDelivery(payload)).toBe('uninteresting');
      payload.object_attributes.note = '/preview stop';
      expect(reduceDelivery(payload)).toMatchObject({ facts: { event: 'note', projectId: 5, iid: 1, noteId: 1244 } });
    });
  },
);
