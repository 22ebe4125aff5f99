import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/agent/diagnose/diagnose.js';
import type { ObservedObject } from '../../../src/protocol/observations.js';
import {
  type Contents,
  event,
  type FakeReader,
  fakeReader,
  fine,
  pod,
  podOf,
  secret,
  unwell,
  waiting,
} from './fake-reader.js';

const now = Date.parse('2026-01-01T01:00:00Z');
const signal = new AbortController().signal;

async function find(contents: Contents | FakeReader, ...objects: ObservedObject[]) {
  const reader = 'listed' in contents ? contents : fakeReader(contents);
  const found = await diagnose(reader, { namespace: 'n', unwell: objects, now, signal });
  if (found === null) throw new Error('nothing found');
  return { ...found.diagnosis, stuck: found.stuck };
}

const web = unwell('Deployment/web');

describe('a pod is to blame', () => {
  test('one that crashes: its exit code, its own warnings and the last words of its last run', async () => {
    const crashing = podOf('web', {
      phase: 'Running',
      containerStatuses: [
        waiting('CrashLoopBackOff', 'back-off 1m', { restartCount: 5, lastState: { terminated: { exitCode: 3 } } }),
      ],
    });
    const name = crashing.metadata.name;
    const objects = [
      podOf('web', { phase: 'Running', containerStatuses: [fine] }, { metadata: { name: 'web-5d9c-y' } }),
      crashing,
      event(`Pod/${name}`, 'BackOff', 'Back-off restarting', { lastTimestamp: '2026-01-01T00:00:02Z', count: 7 }),
      event('Pod/web-5d9c-y', 'Unhealthy', 'not this one', { lastTimestamp: '2026-01-01T00:00:03Z' }),
      event(`Pod/${name}`, 'Failed', 'first', { lastTimestamp: '2026-01-01T00:00:01Z' }),
    ];
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n');
    const logs = { [`${name}/app/previous`]: `${lines}\nfatal: password=hunter22\n` };
    const found = await find({ objects, logs }, web);
    expect(found.stuck).toBe(true);
    expect(found.object).toBe(`Pod/${name}`);
    expect(found.sentence).toBe(
      `Pod/${name}, container app is CrashLoopBackOff, last exit code 3, 5 restarts: back-off 1m`,
    );
    expect(found.evidence).toEqual([`Failed Pod/${name}: first`, `BackOff Pod/${name}: Back-off restarting (7 times)`]);
    expect(found.logs).toHaveLength(20);
    expect(found.logs?.at(-1)).toBe('fatal: password=[redacted]');
  });

  test('an init container that ran out of memory, with what it said at its end', async () => {
    const status = {
      phase: 'Pending',
      initContainerStatuses: [
        waiting('CrashLoopBackOff', 'back-off', {
          name: 'migrate',
          restartCount: 4,
          lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', message: 'too much' } },
        }),
      ],
      containerStatuses: [waiting('PodInitializing')],
    };
    const found = await find({ objects: [podOf('web', status)] }, web);
    expect(found.sentence).toContain(
      'init container migrate is CrashLoopBackOff, last exit code 137 (OOMKilled), 4 restarts: too much',
    );
  });

  test('one whose probe fails says how, and shows what it prints now', async () => {
    const running = { name: 'app', ready: false, started: true, restartCount: 0, state: { running: {} } };
    const status = { phase: 'Running', containerStatuses: [running] };
    const objects = [
      podOf('web', status),
      event('Pod/web-5d9c-x', 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503'),
    ];
    const found = await find({ objects, logs: { 'web-5d9c-x/app': 'listening\n' } }, web);
    expect(found).toMatchObject({ stuck: false, logs: ['listening'] });
    expect(found.sentence).toMatch(/NotReady: .*readiness probe has not passed: .*statuscode: 503$/);
    const starting = { phase: 'Running', containerStatuses: [{ ...running, started: false }] };
    expect((await find({ objects: [podOf('web', starting)] }, web)).sentence).toContain('startup probe');
  });

  test('one that was started again and is not ready shows the run before, too', async () => {
    const again = {
      name: 'app',
      ready: false,
      restartCount: 1,
      state: { running: {} },
      lastState: { terminated: { exitCode: 2, reason: 'Error' } },
    };
    const logs = { 'web-5d9c-x/app': 'second\n', 'web-5d9c-x/app/previous': 'first\n' };
    const objects = [podOf('web', { phase: 'Running', containerStatuses: [again] })];
    expect((await find({ objects, logs }, web)).logs).toEqual(['first', 'second']);
  });

  test('one that finds no node, one that starts, and a first crash are not hopeless', async () => {
    const unscheduled = podOf('web', {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes: cpu' }],
    });
    const starting = podOf('web', { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] });
    const once = podOf('web', {
      phase: 'Running',
      containerStatuses: [
        waiting('CrashLoopBackOff', '', { restartCount: 1, lastState: { terminated: { exitCode: 1 } } }),
      ],
    });
    expect(await find({ objects: [unscheduled] }, web)).toMatchObject({
      stuck: false,
      sentence: 'Pod/web-5d9c-x is Unschedulable: 0/3 nodes: cpu',
    });
    expect(await find({ objects: [starting] }, web)).toMatchObject({ stuck: false, object: 'Deployment/web' });
    expect(await find({ objects: [once] }, web)).toMatchObject({ stuck: false, object: 'Pod/web-5d9c-x' });
  });

  test.each([
    ['a secret that is missing, once a controller had time to make it', '2026-01-01T00:00:00Z', true],
    ['the same in its first seconds', '2026-01-01T00:59:55Z', false],
  ])('%s', async (_, creationTimestamp, stuck) => {
    const status = {
      phase: 'Pending',
      containerStatuses: [waiting('CreateContainerConfigError', 'secret "app" not found')],
    };
    const found = await find({ objects: [podOf('web', status, { metadata: { name: 'p', creationTimestamp } })] }, web);
    expect(found).toMatchObject({
      stuck,
      object: 'Pod/p',
      sentence: 'Pod/p, container app is CreateContainerConfigError: secret "app" not found',
    });
  });

  test('a config map that cannot be mounted is told in an event alone', async () => {
    const status = { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] };
    const words = 'MountVolume.SetUp failed for volume "conf" : configmap "app" not found';
    const objects = [podOf('web', status), event('Pod/web-5d9c-x', 'FailedMount', words)];
    expect(await find({ objects }, web)).toMatchObject({
      object: 'Pod/web-5d9c-x',
      sentence: `Pod/web-5d9c-x is FailedMount: ${words}`,
    });
  });

  test('a pod of what is unwell comes before a worse one of something else', async () => {
    const images = { phase: 'Pending', containerStatuses: [waiting('ImagePullBackOff')] };
    const notReady = { phase: 'Running', containerStatuses: [{ ...fine, ready: false }] };
    const objects = [podOf('other', images), podOf('web', notReady)];
    expect((await find({ objects }, web)).object).toBe('Pod/web-5d9c-x');
    // And where nothing of its own is at fault, the other one may be: an operator made it.
    expect((await find({ objects: [podOf('other', images)] }, unwell('Database/main'))).object).toBe(
      'Pod/other-5d9c-x',
    );
  });
});

describe('something else than a pod is to blame', () => {
  test('the ReplicaSet that may not make pods, in the API server’s words', async () => {
    const words = 'pods "web-5d9c-" is forbidden: exceeded quota: preview, requested: pods=1, used: pods=2';
    const refused = event('ReplicaSet/web-5d9c', 'FailedCreate', `Error creating: ${words}`, { count: 9 });
    const found = await find({ objects: [refused] }, web);
    expect(found).toMatchObject({ object: 'ReplicaSet/web-5d9c', stuck: true });
    expect(found.sentence).toBe(`ReplicaSet/web-5d9c is not allowed to make its pods: ${words}`);
    // Once it made one, the refusal is history.
    const made = podOf(
      'web',
      { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] },
      { metadata: { name: 'web-5d9c-x', creationTimestamp: '2026-01-01T00:00:05Z' } },
    );
    expect((await find({ objects: [refused, made] }, web)).object).toBe('Deployment/web');
  });

  test('the Job and the StatefulSet, too, and not one that is well', async () => {
    const job = event('Job/seed', 'FailedCreate', 'Error creating: violates PodSecurity "baseline:latest"');
    const set = event('StatefulSet/db', 'FailedCreate', 'create Pod db-0 failed: denied by a webhook');
    expect((await find({ objects: [job, set] }, unwell('Job/seed'))).object).toBe('Job/seed');
    expect((await find({ objects: [job, set] }, unwell('StatefulSet/db'))).sentence).toContain('denied by a webhook');
    expect((await find({ objects: [job] }, web)).object).toBe('Deployment/web');
  });

  test('the claim that gets no volume, not the pod that waits for it', async () => {
    const unscheduled = podOf(
      'web',
      {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'unbound claims' }],
      },
      { spec: { volumes: [{ persistentVolumeClaim: { claimName: 'data' } }] } },
    );
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data' },
      status: { phase: 'Pending' },
    };
    const about = (reason: string) =>
      event('PersistentVolumeClaim/data', reason, 'no storage class is set', { type: 'Normal' });
    expect(await find({ objects: [unscheduled, claim, about('FailedBinding')] }, web)).toMatchObject({
      object: 'PersistentVolumeClaim/data',
      sentence: 'PersistentVolumeClaim/data is Pending: no storage class is set',
    });
    expect((await find({ objects: [unscheduled] }, web)).sentence).toContain('PersistentVolumeClaim/data is missing');
    // A claim that waits for the pod is not what the pod waits for.
    const waits = [unscheduled, claim, about('WaitForFirstConsumer')];
    expect((await find({ objects: waits }, web)).object).toBe('Pod/web-5d9c-x');
    const alone = await find({ objects: [claim, about('ProvisioningFailed')] }, unwell('PersistentVolumeClaim/data'));
    expect(alone.sentence).toContain('no storage class is set');
  });

  test('an Ingress that no controller takes up', async () => {
    const ingress = (spec: Record<string, unknown>, annotations = {}) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web', annotations, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec,
    });
    const ingressClass = (name: string, annotations = {}) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name, annotations },
    });
    const standard = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
    const unwellIngress = unwell('Ingress/web');
    const sentence = async (...objects: Contents['objects'] & object) =>
      (await find({ objects }, unwellIngress)).sentence;
    expect(await find({ objects: [ingress({}), ingressClass('nginx')] }, unwellIngress)).toMatchObject({
      object: 'Ingress/web',
      stuck: true,
      sentence:
        'Ingress/web is taken up by no controller: it has no ingressClassName, and the cluster no default IngressClass; it has nginx',
    });
    expect(await sentence(ingress({ ingressClassName: 'ngnix' }), ingressClass('nginx'))).toContain(
      'no IngressClass ngnix; it has nginx',
    );
    expect(await sentence(ingress({}))).toContain('the cluster has no IngressClass');
    for (const well of [
      [ingress({}), ingressClass('nginx', standard)],
      [ingress({ ingressClassName: 'nginx' }), ingressClass('nginx')],
      [ingress({}, { 'kubernetes.io/ingress.class': 'nginx' })],
    ]) {
      expect(await sentence(...well)).toBe('Ingress/web is Progressing');
    }
    const forbidden = fakeReader({ objects: [ingress({})], forbidden: ['IngressClass'] });
    expect((await find(forbidden, unwellIngress)).sentence).toBe('Ingress/web is Progressing');
  });

  test('where nobody is, the object’s own message says why, or the newest warning', async () => {
    expect((await find({}, unwell('Widget/a', { message: 'no disk' }))).sentence).toBe(
      'Widget/a is Progressing: no disk',
    );
    const objects = [event('Service/web', 'SyncLoadBalancerFailed', 'no address left')];
    expect((await find({ objects }, unwell('Service/web'))).sentence).toContain('no address left');
  });
});

describe('what is told is redacted', () => {
  const crashed = {
    phase: 'Running',
    containerStatuses: [
      waiting('CrashLoopBackOff', '', { restartCount: 3, lastState: { terminated: { exitCode: 1 } } }),
    ],
  };
  const password = 'correct horse/battery';

  test('the values of the namespace’s secrets, raw, in base64 and in a URL', async () => {
    const objects = [
      podOf('web', crashed),
      secret('app', { password, short: 'abc' }),
      event('Pod/web-5d9c-x', 'Unhealthy', `probe says ${password}`),
    ];
    const log = [
      `using ${password}`,
      `header ${Buffer.from(password).toString('base64')}`,
      `GET /?p=${encodeURIComponent(password)}`,
      'abc stays',
    ].join('\n');
    const found = await find({ objects, logs: { 'web-5d9c-x/app/previous': log } }, web);
    expect(found.logs).toEqual(['using [redacted]', 'header [redacted]', 'GET /?p=[redacted]', 'abc stays']);
    expect(found.evidence).toEqual(['Unhealthy Pod/web-5d9c-x: probe says [redacted]']);
  });

  test('each line of a key, and each text of a pull secret', async () => {
    const key = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIabcdefgh\n-----END EC PRIVATE KEY-----\n';
    const pull = JSON.stringify({ auths: { 'registry.example.com': { username: 'robot', password: 'p4ssw0rd-9' } } });
    const objects = [podOf('web', crashed), secret('tls', { key }), secret('pull', { '.dockerconfigjson': pull })];
    const log = 'MHcCAQEEIabcdefgh\nlogin to registry.example.com as robot with p4ssw0rd-9 failed';
    const found = await find({ objects, logs: { 'web-5d9c-x/app/previous': log } }, web);
    expect(found.logs).toEqual(['[redacted]', 'login to registry.example.com as robot with [redacted] failed']);
  });

  test('a key that no secret holds is known by its first line, over all its lines', async () => {
    const log = 'loaded\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\nready';
    const found = await find({ objects: [podOf('web', crashed)], logs: { 'web-5d9c-x/app/previous': log } }, web);
    expect(found.logs).toEqual(['loaded', '[redacted]', 'ready']);
  });

  test('nothing of a log travels when the secrets cannot be read', async () => {
    const logs = { 'web-5d9c-x/app/previous': 'hush' };
    const found = await find(fakeReader({ objects: [podOf('web', crashed)], logs, forbidden: ['Secret'] }), web);
    expect(found.logs).toEqual([expect.stringContaining('left out')]);
    expect(JSON.stringify(found)).not.toContain('hush');
  });

  test('nor when there are more secrets than are read', async () => {
    const many = Array.from({ length: 500 }, (_, index) => secret(`s${index}`, {}));
    const logs = { 'web-5d9c-x/app/previous': 'hush' };
    expect((await find({ objects: [podOf('web', crashed), ...many], logs }, web)).logs).toEqual([
      expect.stringContaining('left out'),
    ]);
  });

  test('secrets are not read where there is nothing to redact', async () => {
    const reader = fakeReader({ objects: [podOf('web', { phase: 'Pending' })] });
    await find(reader, web);
    expect(reader.listed).toEqual(['Pod', 'Event']);
  });
});

test('control characters and endless lines do not travel', async () => {
  const bad = podOf('web', {
    phase: 'Pending',
    containerStatuses: [waiting('ErrImagePull', `\u001b[31mred\u202e\u200b ${'x'.repeat(5_000)}`)],
  });
  const { sentence } = await find({ objects: [bad] }, web);
  expect(sentence.length).toBeLessThanOrEqual(1_000);
  for (const hidden of ['\u001b', '\u202e', '\u200b']) expect(sentence).not.toContain(hidden);
});

test('fields of any type are read without a fault', async () => {
  const broken = [
    pod('a', { containerStatuses: 'x', conditions: [null, 3] }),
    pod('b', { phase: 7, containerStatuses: [{ state: [] }, null] }),
    { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, involvedObject: 'x', message: 4 },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { a: 4 } },
  ];
  expect((await find({ objects: broken }, web)).object).toBe('Deployment/web');
});
