import { describe, expect, it } from 'vitest';
import { type BaselineDeps, baselineLookBack, readBaseline } from '../../../src/manager/decide/read-baseline.js';
import type { Policy } from '../../../src/preview/policy.js';
import { policy } from './decide-world.js';

const shas = Array.from({ length: 30 }, (_, index) => index.toString(16).padStart(40, '0'));

function depsOf(green: readonly string[], images: readonly string[] = []) {
  const asked: string[] = [];
  const deps: BaselineDeps = {
    readTargetBranch: ({ branch, most }) =>
      Promise.resolve({ branch: branch === 'gone' ? 'main' : branch, shas: shas.slice(0, most) }),
    readGate({ sha, iid }) {
      expect(iid).toBeNull();
      asked.push(sha);
      return Promise.resolve(
        green.includes(sha) ? { state: 'open' } : { state: 'failed', detail: 'The job test failed.' },
      );
    },
    hasImage: ({ repository, tag }) => Promise.resolve(images.includes(`${repository}:${tag}`)),
  };
  return { deps, asked };
}

function read(deps: BaselineDeps, change: Partial<Policy>, branch = 'main') {
  const project = { projectId: 8, policy: policy({ project: 'cart', ...change }) };
  return readBaseline(deps, { project, branch }, new AbortController().signal);
}

describe('a baseline', () => {
  it('is the head where there is no gate', async () => {
    const { deps, asked } = depsOf([]);
    const { baseline } = await read(deps, {}, 'gone');
    expect(baseline).toEqual({ projectId: 8, branch: 'main', head: shas[0], passed: shas[0] });
    expect(asked).toEqual([]);
  });

  it('is the newest commit whose pipeline passed; what was read of it and of the head is told', async () => {
    const { deps, asked } = depsOf([shas[2] ?? '', shas[4] ?? '']);
    const { baseline, gates } = await read(deps, { gatePipeline: 'success', gateApproval: 'member' });
    expect(baseline).toMatchObject({ head: shas[0], passed: shas[2] });
    expect(asked).toEqual(shas.slice(0, 3));
    expect(gates.map(({ sha, reading }) => [sha, reading.state])).toEqual([
      [shas[0], 'failed'],
      [shas[2], 'open'],
    ]);
  });

  it('has its images; those named after a merge request do not count', async () => {
    const gateImages = ['registry.example.com/cart:{{sha}}', 'registry.example.com/cart:mr-{{iid}}-{{sha}}'];
    const { deps } = depsOf(shas, [`cart:${shas[1]}`]);
    const { baseline, gates } = await read(deps, { gatePipeline: 'success', gateImages });
    expect(baseline.passed).toBe(shas[1]);
    expect(gates.map(({ gate }) => gate)).toContain(`image registry.example.com/cart:${shas[1]}`);
  });

  it('is looked for in so many commits, and no further', async () => {
    const { deps, asked } = depsOf([shas[baselineLookBack] ?? '']);
    expect((await read(deps, { gatePipeline: 'success' })).baseline.passed).toBeNull();
    expect(asked).toHaveLength(baselineLookBack);
  });
});
