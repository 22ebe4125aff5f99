import { describe, expect, test } from 'vitest';
import { gateFor, type JobStatus, noPipelineDetail, type PipelineJob, pipelineState } from '../../src/preview/gate.js';

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
    [['build:skipped', 'deploy:skipped'], 'waiting'],
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
    expect(pipelineState(jobs('build:success', 'test:failed'))).toEqual({
      state: 'failed',
      detail: 'The job test failed.',
    });
  });
});

describe('the gate of a sha', () => {
  const gate = { sha: 'a', reading: { state: 'open' as const } };
  test('a reading of another sha says nothing', () => {
    expect(gateFor({ gatePipeline: 'success' }, 'a', gate)).toEqual({ state: 'open' });
    expect(gateFor({ gatePipeline: 'success' }, 'b', gate)).toBeNull();
    expect(gateFor({ gatePipeline: 'success' }, 'b', null)).toBeNull();
  });

  test('`none` is always open', () => {
    expect(gateFor({ gatePipeline: 'none' }, 'b', null)).toEqual({ state: 'open' });
  });
});
