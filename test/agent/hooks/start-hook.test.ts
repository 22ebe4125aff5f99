import { expect, test } from 'vitest';
import { hookRun, type StartHookDeps, startHook } from '../../../src/agent/hooks/start-hook.js';
import type { Manifest } from '../../../src/agent/manifest.js';
import { marksOf } from '../../../src/agent/marks.js';
import { AppError } from '../../../src/error/app-error.js';

const identity = { installation: 'i', slug: 'a', incarnation: 1 };
const run = hookRun('revision-1', 'PreSync');
const labels = marksOf(identity);
const job: Manifest = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'migrate', namespace: 'p', labels },
  spec: { ttlSecondsAfterFinished: 5 },
};

function failure(code: string): AppError {
  return new AppError({ code, disposition: 'stall', publicMessage: '-' });
}

/** A cluster with at most one object, that goes when it is deleted unless it `stays`. */
function cluster(initial: Manifest | null, stays = false) {
  let there = initial;
  const log: string[] = [];
  const deps: StartHookDeps = {
    async create(object) {
      log.push('create');
      if (there !== null) throw failure('kube-already-exists');
      there = { ...object, metadata: { ...object.metadata, uid: 'new' } };
      return there;
    },
    async get() {
      if (there === null) throw failure('kube-not-found');
      return there;
    },
    async remove(_, { preconditions }) {
      log.push(`remove ${preconditions.uid}`);
      if (!stays) there = null;
    },
  };
  return { deps, log };
}

const start = (deps: StartHookDeps) =>
  startHook(deps, { identity, manifest: job, run, signal: new AbortController().signal });

const old = (change: Partial<Manifest['metadata']>): Manifest => ({
  ...job,
  metadata: { ...job.metadata, uid: 'old', annotations: { 'mayfly.dev/hook-run': 'PreSync-another' }, ...change },
});

test('it is made with the name of its run, and stays long enough to be seen', async () => {
  const { deps, log } = cluster(null);
  const made = await start(deps);
  expect(log).toEqual(['create']);
  expect(made.metadata.annotations).toEqual({ 'mayfly.dev/hook-run': run });
  expect(made.spec).toEqual({ ttlSecondsAfterFinished: 300 });
});

test('the object of this very run is taken up again, not made twice', async () => {
  const { deps, log } = cluster(old({ annotations: { 'mayfly.dev/hook-run': run } }));
  expect((await start(deps)).metadata.uid).toBe('old');
  expect(log).toEqual(['create']);
});

test('what is left of an earlier run goes first', async () => {
  const { deps, log } = cluster(old({}));
  expect((await start(deps)).metadata.uid).toBe('new');
  expect(log).toEqual(['create', 'remove old', 'create']);
});

test('one that is still going is waited for, and what is not the preview’s is left alone', async () => {
  const going = cluster(old({ deletionTimestamp: 'now' }), true);
  await expect(start(going.deps)).rejects.toMatchObject({ code: 'hook-terminating', disposition: 'wait' });
  expect(going.log).toEqual(['create']);
  const foreign = cluster(old({ labels: {} }));
  await expect(start(foreign.deps)).rejects.toMatchObject({ code: 'hook-foreign' });
  expect(foreign.log).toEqual(['create']);
});
