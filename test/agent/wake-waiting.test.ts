import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { WatchSink } from '../../src/agent/live/live-objects.js';
import { createLiveView } from '../../src/agent/live-view.js';
import type { Manifest } from '../../src/agent/manifest.js';
import { marksOf } from '../../src/agent/marks.js';
import { createPreviewState, setWanted } from '../../src/agent/preview-state.js';

const identity = { installation: 'i', slug: 'a', incarnation: 1 };

function job(name: string, resourceVersion: string, ended: boolean): Manifest {
  const conditions = ended ? [{ type: 'Complete', status: 'True' }] : [];
  const metadata = { name, uid: name, resourceVersion, generation: 1, labels: marksOf(identity) };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata, status: { conditions } };
}

/** A preview, the view of its objects, and what was queued for it. */
function world(kind: string) {
  const preview = createPreviewState('a');
  setWanted(preview, {
    slug: 'a',
    incarnation: 1,
    revision: 'r',
    application: {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'a', annotations: {} },
      spec: {
        project: 'default',
        destination: { name: 'default', namespace: 'p' },
        source: { repoURL: 'https://x/y.git', targetRevision: 'a'.repeat(40) },
      },
    },
  });
  const woken: string[] = [];
  const sinks: WatchSink[] = [];
  const view = createLiveView(
    {
      cluster: {
        watch(followed, _, heard) {
          if (followed.kind === kind) sinks.push(heard);
          return new Promise(() => undefined);
        },
        listPages: async () => '',
      },
      previews: new Map([['a', preview]]),
      queue: { add: (slug) => void woken.push(slug), isRunning: () => false },
      report: () => undefined,
      log: pino({ level: 'silent' }),
    },
    'i',
    new AbortController().signal,
  );
  view.follow([{ apiVersion: 'batch/v1', kind: 'Job' }]);
  return { preview, woken, sink: sinks[0] };
}

test('a preview that waits goes on as soon as what it waits for has ended, and not before', () => {
  const { preview, woken, sink } = world('Job');
  preview.awaiting = [{ group: 'batch', kind: 'Job', name: 'migrate', health: 'Progressing', message: null }];
  sink?.changed(job('migrate', '1', false));
  sink?.changed(job('another', '2', true));
  expect(woken).toEqual([]);
  sink?.changed(job('migrate', '3', true));
  expect(woken).toEqual(['a']);
});

test('a namespace that is given back its labels has what failed tried again, and no other change of it does', () => {
  const { preview, woken, sink } = world('Namespace');
  const namespace = (resourceVersion: string): Manifest => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'p', uid: 'n', resourceVersion, labels: marksOf(identity) },
  });
  sink?.changed(namespace('1'));
  expect(woken).toEqual([]);
  sink?.deleted(namespace('2'));
  expect(woken).toEqual(['a']);
  const diagnosis = { cause: 'apply' as const, object: null, sentence: 'It was not made for it.', evidence: [] };
  preview.problem = { revision: 'r', state: 'refused', diagnosis };
  sink?.changed(namespace('3'));
  expect(woken).toEqual(['a', 'a']);
  sink?.changed(namespace('4'));
  expect(woken).toEqual(['a', 'a']);
  // One that is torn down, too.
  preview.problem = null;
  preview.verdicts.set(1, 'closed');
  sink?.deleted(namespace('5'));
  sink?.changed(namespace('6'));
  expect(woken).toEqual(['a', 'a', 'a', 'a']);
});
