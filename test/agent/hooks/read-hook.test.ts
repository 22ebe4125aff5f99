import { expect, test } from 'vitest';
import { readHook } from '../../../src/agent/hooks/read-hook.js';

const read = (annotations: Record<string, string>) =>
  readHook({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a', annotations } });
const hook = 'argocd.argoproj.io/hook';
const policy = 'argocd.argoproj.io/hook-delete-policy';

test.each<[Record<string, string>, string[], string[]]>([
  [{ [hook]: 'PreSync' }, ['PreSync'], []],
  [{ [hook]: 'PreSync, PostSync' }, ['PreSync', 'PostSync'], []],
  [{ [hook]: 'Sync' }, ['Sync'], []],
  [{ [hook]: 'Skip' }, [], []],
  [{ [hook]: 'SyncFail' }, [], [`${hook}: SyncFail`]],
  [{ [hook]: 'PostSync,PostDelete' }, ['PostSync'], [`${hook}: PostDelete`]],
  [{ 'helm.sh/hook': 'pre-install,pre-upgrade' }, ['PreSync'], []],
  [{ 'helm.sh/hook': 'post-install,post-upgrade,post-delete' }, ['PostSync'], ['helm.sh/hook: post-delete']],
  [{ 'helm.sh/hook': 'test' }, [], ['helm.sh/hook: test']],
  // Argo CD's own come before Helm's.
  [{ 'helm.sh/hook': 'pre-install', [hook]: 'PostSync' }, ['PostSync'], []],
])('%j runs in %j, and names %j', (annotations, phases, unsupported) => {
  expect(read(annotations)).toMatchObject({ phases, unsupported });
});

test('of a flood of phases a few are named', () => {
  const flood = Array.from({ length: 100_000 }, (_, index) => `p${index}`).join(',');
  expect(read({ [hook]: `PreSync,${flood}` })).toMatchObject({ phases: ['PreSync'], unsupported: { length: 19 } });
});

test('what is no hook is none: no annotation, or a definition of Helm’s', () => {
  expect(read({})).toBeNull();
  expect(read({ 'helm.sh/hook': 'crd-install' })).toBeNull();
  expect(read({ [hook]: '' })).toBeNull();
});

test('delete policies of both, and the default', () => {
  expect(read({ [hook]: 'PreSync' })?.policies).toEqual(['BeforeHookCreation']);
  expect(read({ [hook]: 'PreSync', [policy]: 'HookSucceeded,HookFailed' })?.policies).toEqual([
    'HookSucceeded',
    'HookFailed',
  ]);
  const helm = { 'helm.sh/hook': 'pre-install', 'helm.sh/hook-delete-policy': 'hook-succeeded,never' };
  expect(read(helm)).toMatchObject({
    policies: ['HookSucceeded'],
    unsupported: ['helm.sh/hook-delete-policy: never'],
  });
});
