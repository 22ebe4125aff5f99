import { expect, test } from 'vitest';
import { type DiagnoseDeps, diagnose } from '../../../src/agent/diagnose/diagnose.js';
import { redact } from '../../../src/agent/diagnose/redact.js';
import type { Manifest } from '../../../src/agent/manifest.js';
import type { ObservedObject } from '../../../src/protocol/observations.js';

const signal = new AbortController().signal;
const deployment: ObservedObject = {
  group: 'apps',
  kind: 'Deployment',
  name: 'web',
  health: 'Progressing',
  message: 'waits',
};

function pod(name: string, status: Record<string, unknown>): Manifest {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, status };
}

function warning(kind: string, name: string, reason: string, message: string, at: string): Manifest {
  const metadata = { name: `${name}.${at}` };
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata,
    involvedObject: { kind, name },
    reason,
    message,
    lastTimestamp: at,
  };
}

function deps(pods: Manifest[], events: Manifest[] = [], log: Record<string, string> = {}): DiagnoseDeps {
  return {
    listPods: async () => pods,
    listWarnings: async () => events,
    readLog: async ({ pod: name, container, previous }) =>
      log[`${name}/${container}${previous ? '/previous' : ''}`] ?? '',
  };
}

const running = { phase: 'Running', containerStatuses: [{ name: 'app', ready: true, state: { running: {} } }] };

test('the pod that is stuck is to blame, with its own warnings and the last words of its last run', async () => {
  const crashing = pod('web-2', {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'app',
        ready: false,
        restartCount: 5,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 1m' } },
        lastState: { terminated: { exitCode: 3 } },
      },
    ],
  });
  const events = [
    warning('Pod', 'web-2', 'BackOff', 'Back-off restarting', '2026-01-01T00:00:02Z'),
    warning('Pod', 'web-1', 'Unhealthy', 'not this one', '2026-01-01T00:00:03Z'),
    warning('Pod', 'web-2', 'Failed', 'first', '2026-01-01T00:00:01Z'),
  ];
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n');
  const log = { 'web-2/app/previous': `${lines}\nfatal: password=hunter22\n` };
  const found = await diagnose(deps([pod('web-1', running), crashing], events, log), {
    namespace: 'n',
    unwell: [deployment],
    signal,
  });
  expect(found?.stuck).toBe(true);
  expect(found?.diagnosis.object).toBe('Pod/web-2');
  expect(found?.diagnosis.sentence).toBe(
    'Pod web-2, container app is CrashLoopBackOff, last exit code 3, 5 restarts: back-off 1m',
  );
  const evidence = found?.diagnosis.evidence ?? [];
  expect(evidence.slice(0, 2)).toEqual(['Failed Pod/web-2: first', 'BackOff Pod/web-2: Back-off restarting']);
  expect(evidence).toHaveLength(2 + 20);
  expect(evidence.at(-1)).toBe('fatal: password=[redacted]');
});

test('where there is no pod, the newest warning says why', async () => {
  const events = [warning('ReplicaSet', 'web-1', 'FailedCreate', 'exceeded quota: limits', '2026-01-01T00:00:01Z')];
  const unwell = [{ ...deployment, message: null }];
  const found = await diagnose(deps([], events), { namespace: 'n', unwell, signal });
  expect(found).toMatchObject({ stuck: false, diagnosis: { object: 'Deployment/web' } });
  expect(found?.diagnosis.sentence).toContain('exceeded quota');
});

test('a pod that finds no node, one that starts, and a first crash are not hopeless', async () => {
  const unscheduled = pod('a', {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes: cpu' }],
  });
  const starting = pod('b', {
    phase: 'Pending',
    containerStatuses: [{ name: 'app', ready: false, state: { waiting: { reason: 'ContainerCreating' } } }],
  });
  const once = pod('c', {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'app',
        ready: false,
        restartCount: 1,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 1 } },
      },
    ],
  });
  const look = (pods: Manifest[]) => diagnose(deps(pods), { namespace: 'n', unwell: [deployment], signal });
  expect(await look([unscheduled])).toMatchObject({ stuck: false, diagnosis: { object: 'Pod/a' } });
  expect((await look([unscheduled]))?.diagnosis.sentence).toContain('0/3 nodes');
  expect(await look([starting])).toMatchObject({ stuck: false, diagnosis: { object: 'Deployment/web' } });
  expect(await look([once])).toMatchObject({ stuck: false, diagnosis: { object: 'Pod/c' } });
});

test.each([
  ['token glpat-abcdefghij1234567890 here', 'token [redacted] here'],
  ['Authorization: Bearer abcdef.ghijkl-123', 'Authorization: Bearer [redacted]'],
  ['postgres://app:s3cret@db:5432/x', 'postgres://app:[redacted]@db:5432/x'],
  ['{"client_secret":"abcdefgh","a":1}', '{"client_secret":"[redacted]","a":1}'],
  ['AWS_KEY AKIAABCDEFGHIJKLMNOP', 'AWS_KEY [redacted]'],
  ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc', 'jwt [redacted]'],
  ['DATABASE_URL is not set', 'DATABASE_URL is not set'],
  ['listening on http://0.0.0.0:8080/path', 'listening on http://0.0.0.0:8080/path'],
])('%s', (text, clean) => {
  expect(redact(text)).toBe(clean);
});

test('control characters and endless lines do not travel', async () => {
  const bad = pod('a', {
    phase: 'Pending',
    containerStatuses: [
      {
        name: 'app',
        state: { waiting: { reason: 'ErrImagePull', message: `\u001b[31mred\u202e ${'x'.repeat(5_000)}` } },
      },
    ],
  });
  const found = await diagnose(deps([bad]), { namespace: 'n', unwell: [deployment], signal });
  const sentence = found?.diagnosis.sentence ?? '';
  expect(sentence.length).toBeLessThanOrEqual(1_000);
  expect(sentence).not.toContain('\u001b');
  expect(sentence).not.toContain('\u202e');
});
