import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/agent/manifest.js';
import { blockersOf } from '../../../src/agent/teardown/blockers.js';

function namespace(conditions: { type: string; status: string; message: string }[], finalizers?: string[]): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'preview-shop-1', ...(finalizers === undefined ? {} : { finalizers }) },
    status: { phase: 'Terminating', conditions },
  };
}

const discovery = {
  type: 'NamespaceDeletionDiscoveryFailure',
  status: 'True',
  message: 'Discovery failed for some groups, 1 failing: metrics.k8s.io/v1beta1: stale GroupVersion discovery',
};
const content = {
  type: 'NamespaceContentRemaining',
  status: 'True',
  message: 'Some resources are remaining: configmaps. has 1 resource instances',
};
const remaining = {
  type: 'NamespaceFinalizersRemaining',
  status: 'True',
  message:
    'Some content in the namespace has finalizers remaining: a.example.com/hold in 1 resource instances, kubernetes.io/pvc-protection in 2 resource instances',
};

test('the finalizers are named before the content that has them', () => {
  expect(blockersOf(namespace([content, remaining]))).toEqual({
    why: remaining.message,
    finalizers: ['a.example.com/hold', 'kubernetes.io/pvc-protection'],
    evidence: [remaining.message, content.message],
  });
});

test('an API group that does not answer comes first: what else remains nobody knows', () => {
  const found = blockersOf(namespace([content, remaining, discovery]));
  expect(found.why).toContain('metrics.k8s.io/v1beta1');
});

test('what is settled, or says nothing, blocks nothing', () => {
  const settled = { ...discovery, status: 'False', message: 'All resources successfully discovered' };
  expect(blockersOf(namespace([settled, { ...content, message: '' }]))).toEqual({
    why: null,
    finalizers: [],
    evidence: [],
  });
});

test('a finalizer of the namespace itself is named too', () => {
  expect(blockersOf(namespace([], ['operator.example.com/cleanup']))).toMatchObject({
    why: 'The namespace itself has the finalizers operator.example.com/cleanup.',
    finalizers: ['operator.example.com/cleanup'],
  });
});
