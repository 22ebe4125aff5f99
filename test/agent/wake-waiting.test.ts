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

test('a preview that waits goes on as soon as what it waits for has ended, and not before', () => {
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
  preview.awaiting = [{ group: 'batch', kind: 'Job', name: 'migrate', health: 'Progressing', message: null }];
  const woken: string[] = [];
  let sink: WatchSink | undefined;
  const view = createLiveView(
    {
      cluster: {
        watch(kind, _, heard) {
          if (kind.kind === 'Job') sink = heard;
          return new Promise(() => undefined);
        },
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
  sink?.changed(job('migrate', '1', false));
  sink?.changed(job('another', '2', true));
  expect(woken).toEqual([]);
  sink?.changed(job('migrate', '3', true));
  expect(woken).toEqual(['a']);
});
