import { describe, expect, test } from 'vitest';
import { judgeGates } from '../../src/preview/gate.js';
import { imagePauseMs } from '../../src/preview/image-pause.js';
import { parseImage, renderImage } from '../../src/preview/image-reference.js';
import {
  type JobStatus,
  jobsState,
  noPipelineDetail,
  type PipelineJob,
  pipelineState,
} from '../../src/preview/pipeline-gate.js';
import { basePolicy } from './model/world.js';
import { someFacts } from './samples.js';

let id = 0;

/** `build:success`, `lint:failed?` (allowed to fail), `other:failed!` (an external status). */
function jobs(...texts: string[]): PipelineJob[] {
  return texts.map((text) => {
    const [, name = '', status = '', mark = ''] = /^(.+):([a-z_]+)([?!]?)$/.exec(text) ?? [];
    id += 1;
    return { id, name, status: status as JobStatus, allowFailure: mark === '?', external: mark === '!' };
  });
}

describe('the state of a pipeline, from its jobs and bridges', () => {
  test.each([
    [['build:success', 'test:success'], 'open'],
    [['build:success', 'test:running'], 'waiting'],
    [['build:success', 'test:created'], 'waiting'],
    [['build:success', 'test:scheduled'], 'waiting'],
    [['build:success', 'test:canceling'], 'waiting'],
    [['build:success', 'test:from_the_future'], 'waiting'],
    [['build:success', 'test:failed'], 'failed'],
    [['build:failed', 'test:running'], 'failed'],
    [['build:canceled'], 'failed'],
    [['build:success', 'lint:failed?'], 'open'],
    [['lint:failed?'], 'open'],
    [['build:success', 'lint:canceled?'], 'open'],
    [['build:success', 'deploy:manual?'], 'open'],
    [['build:success', 'approve:manual'], 'waiting'],
    [['build:success', 'deploy:skipped'], 'open'],
    // Nobody will ever run it unless somebody asks for it.
    [['build:skipped', 'deploy:skipped'], 'failed'],
    [['deploy:manual?'], 'waiting'],
    // What was posted through the API counts neither for nor against.
    [['build:success', 'mayfly/preview:running!'], 'open'],
    [['build:success', 'coverage:failed!'], 'open'],
    [['build:running', 'mayfly/preview:success!'], 'waiting'],
    [['mayfly/preview:success!'], 'waiting'],
    [[], 'waiting'],
    // The retry counts, whichever way the list is sorted.
    [['test:failed', 'test:success'], 'open'],
    [['test:success', 'test:failed'], 'failed'],
  ])('%j: %s', (texts, state) => {
    const list = jobs(...texts);
    expect(pipelineState(list).state).toBe(state);
    expect(pipelineState(list.reverse()).state).toBe(state);
  });

  test('no pipeline waits, and says how to need none', () => {
    expect(pipelineState(null)).toEqual({ state: 'waiting', detail: noPipelineDetail });
  });

  test('the job to blame is named', () => {
    const list = jobs('build:success', 'test:failed', 'lint:canceled');
    const linked = list.map((job) => ({ ...job, webUrl: `https://gitlab.example.com/${job.name}` }));
    const blamed = { state: 'failed', detail: 'The job test failed.', link: 'https://gitlab.example.com/test' };
    expect(pipelineState(linked)).toEqual(blamed);
    expect(pipelineState(linked.reverse())).toEqual(blamed);
    expect(pipelineState(jobs('build:canceled'))).toEqual({
      state: 'failed',
      detail: 'The job build was canceled.',
      link: null,
    });
  });
});

describe('the gate of named jobs', () => {
  test.each([
    [['build:success', 'test:running'], 'open', null],
    [['build:success', 'test:failed'], 'open', null],
    [['build:running'], 'waiting', 'The job build has not finished.'],
    [['build:created', 'test:success'], 'waiting', 'The job build has not finished.'],
    [['build:failed', 'test:running'], 'failed', 'The job build failed.'],
    // It was named: that it may fail does not help.
    [['build:failed?'], 'failed', 'The job build failed.'],
    [['build:canceled', 'test:running'], 'failed', 'The job build was canceled.'],
    [['build:manual'], 'waiting', 'The manual job build was not started.'],
    [['build:skipped', 'compile:failed'], 'failed', 'The job compile failed.'],
    [['build:skipped'], 'failed', 'The job build was skipped.'],
    [['test:running'], 'waiting', 'The pipeline has no job build.'],
    [['test:success'], 'failed', 'The pipeline has no job build.'],
    [['build:success!'], 'waiting', noPipelineDetail],
    [[], 'waiting', noPipelineDetail],
    [['build:failed', 'build:success'], 'open', null],
    [['build:success', 'build:running'], 'waiting', 'The job build has not finished.'],
  ])('build in %j: %s', (texts, state, detail) => {
    const list = jobs(...texts);
    expect(jobsState(['build'], [list])).toMatchObject({ state, ...(detail === null ? {} : { detail }) });
  });

  test('all of them must have succeeded, wherever they ran', () => {
    const ofMergeRequest = jobs('build:success');
    expect(jobsState(['build', 'image'], [ofMergeRequest, jobs('build:failed', 'image:success')]).state).toBe('open');
    expect(jobsState(['build', 'image'], [ofMergeRequest, jobs('image:running')]).state).toBe('waiting');
    expect(jobsState(['image', 'build'], [jobs('image:running', 'build:failed')]).state).toBe('failed');
    // A pipeline that still runs may create the job in a child, whichever of the two it is.
    expect(jobsState(['image'], [ofMergeRequest, jobs('children:running')]).state).toBe('waiting');
    expect(jobsState(['image'], [ofMergeRequest, jobs('children:success')]).state).toBe('failed');
  });
});

describe('all gates of a sha', () => {
  const sha = 'a'.repeat(40);
  const image = `registry.example.com/acme/shop:${'a'.repeat(8)}`;
  const gates = { gateImages: ['registry.example.com/acme/shop:{{shortSha}}'], gateApproval: 'member' } as const;
  const policy = { ...basePolicy, ...gates, gateImages: [...gates.gateImages] };
  const subject = { policy, facts: someFacts(), slug: 'shop-42', sha, approved: true };
  const open = (gate: string, of = { projectId: 7, sha }) => ({ ...of, gate, reading: { state: 'open' as const } });
  const pipeline = open('pipeline');

  test('all must be open', () => {
    const state = judgeGates(subject, [pipeline, open(`image ${image}`)]);
    expect(state).toEqual({
      closed: null,
      open: ['pipeline', 'approval', `image ${image}`],
      needsPipeline: false,
      imagesToLookFor: [],
    });
  });

  test('a verdict of another sha, project or gate says nothing', () => {
    for (const of of [
      { projectId: 7, sha: 'b'.repeat(40) },
      { projectId: 8, sha },
    ]) {
      expect(judgeGates(subject, [open('pipeline', of), open(`image ${image}`, of)]).open).toEqual(['approval']);
    }
    const jobs = { ...subject, policy: { ...policy, gatePipeline: { jobs: ['build'] } } };
    expect(judgeGates(jobs, [pipeline]).needsPipeline).toBe(true);
  });

  test('once open, open for that sha', () => {
    const failed = { ...pipeline, reading: { state: 'failed' as const, detail: 'The job test failed.' } };
    for (const known of [
      [pipeline, failed],
      [failed, pipeline],
    ]) {
      expect(judgeGates({ ...subject, approved: false }, [...known, open('approval')]).open).toEqual([
        'pipeline',
        'approval',
      ]);
    }
  });

  test('an image is looked for only once nothing else stands in the way', () => {
    expect(judgeGates(subject, [])).toMatchObject({ needsPipeline: true, imagesToLookFor: [] });
    expect(judgeGates({ ...subject, approved: false }, [pipeline]).imagesToLookFor).toEqual([]);
    expect(judgeGates(subject, [pipeline]).imagesToLookFor).toEqual([image]);
    const looked = { ...pipeline, gate: `image ${image}`, reading: { state: 'waiting' as const, detail: null } };
    expect(judgeGates(subject, [pipeline, looked])).toMatchObject({
      closed: { kind: 'image', reading: { state: 'waiting', detail: `The image ${image} is not there yet.` } },
      imagesToLookFor: [],
    });
  });

  test('a failure is told first, then what a person must do', () => {
    const failed = { ...pipeline, reading: { state: 'failed' as const, detail: 'The job test failed.' } };
    const waiting = { ...pipeline, reading: { state: 'waiting' as const, detail: 'x' } };
    const unapproved = { ...subject, approved: false };
    expect(judgeGates(unapproved, [failed]).closed?.kind).toBe('pipeline');
    expect(judgeGates(unapproved, [waiting]).closed?.kind).toBe('approval');
    expect(judgeGates(subject, [waiting]).closed?.kind).toBe('pipeline');
  });

  test('one that needs the name of the preview waits until it has one', () => {
    const named = { ...subject, policy: { ...policy, gateImages: ['registry.example.com/{{slug}}:{{sha}}'] } };
    expect(judgeGates({ ...named, slug: null }, [pipeline])).toMatchObject({
      closed: { kind: 'image', reading: null },
      imagesToLookFor: [],
    });
    expect(judgeGates(named, [pipeline]).imagesToLookFor).toEqual([`registry.example.com/shop-42:${sha}`]);
  });

  test('each sha of a fork needs an approval where forks are to be approved', () => {
    const follow = { ...policy.follow, forks: 'approved' as const };
    const ofForks = { ...subject, policy: { ...policy, follow, gateApproval: 'none' as const }, approved: false };
    const fork = { ...ofForks, facts: someFacts({ sourceProjectId: 8 }) };
    expect(judgeGates(fork, [pipeline]).closed?.kind).toBe('approval');
    expect(judgeGates({ ...fork, approved: true }, [pipeline]).closed?.kind).toBe('image');
    expect(judgeGates(ofForks, [pipeline]).closed?.kind).toBe('image');
  });

  test('an image without a valid name never exists', () => {
    const odd = { ...policy, gateImages: ['registry.example.com/acme/{{branchSlug}}/shop:{{sha}}'] };
    const state = judgeGates({ ...subject, policy: odd, facts: someFacts({ sourceBranch: 'äöü' }) }, [pipeline]);
    expect(state.closed?.reading?.state).toBe('failed');
    expect(state.imagesToLookFor).toEqual([]);
  });
});

describe('the name of an image', () => {
  test.each([
    ['registry.example.com/acme/shop:1a2b', { host: 'registry.example.com', repository: 'acme/shop', tag: '1a2b' }],
    ['Registry.example.com:5000/a:b', { host: 'registry.example.com:5000', repository: 'a', tag: 'b' }],
    ['localhost/a-b/c__d.e:_x', { host: 'localhost', repository: 'a-b/c__d.e', tag: '_x' }],
    ['acme/shop:1a2b', null],
    ['registry.example.com/acme/shop', null],
    ['registry.example.com/acme/Shop:1', null],
    ['registry.example.com/acme//shop:1', null],
    ['registry.example.com/acme/../shop:1', null],
    ['registry.example.com/acme/shop:', null],
    [`registry.example.com/acme/shop:${'a'.repeat(129)}`, null],
    [`registry.example.com/acme/shop@sha256:${'a'.repeat(64)}`, null],
    ['registry.example.com/acme/shop:a b', null],
    ['user@registry.example.com/acme/shop:a', null],
    ['https://registry.example.com/acme/shop:a', null],
    ['registry.example.com/acme/shop:a\n', null],
  ])('%s', (text, parsed) => {
    expect(parseImage(text)).toEqual(parsed);
  });

  test('is made of what is known of the sha', () => {
    const of = { slug: 'shop-42', project: 'shop', iid: 42, sha: '0123456789'.repeat(4), sourceBranch: 'Fix/Cart' };
    const template = 'r.example.com/{{project}}/{{ branchSlug }}:{{iid}}-{{slug}}-{{shortSha}}';
    expect(renderImage(template, of)).toBe('r.example.com/shop/fix-cart:42-shop-42-01234567');
  });
});

test('an image is looked for at once, then ever more rarely', () => {
  const pauses = Array.from({ length: 12 }, (_, looks) => imagePauseMs(looks + 1, false));
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  expect(pauses[0]).toBe(2_000);
  expect(pauses.at(-1)).toBe(60_000);
  expect(imagePauseMs(1, true)).toBe(60_000);
});
