import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningAgent } from '../../src/agent/run.js';
import { eventually } from './support/eventually.js';
import { createSharedSecrets, type SharedSecrets } from './support/shared-secrets.js';
import { createWorld, shopManifests, type World } from './support/world.js';

const id = randomBytes(4).toString('hex');
let world: World;
let shared: SharedSecrets;
let agent: RunningAgent;
let sha: string;

beforeAll(async () => {
  world = await createWorld({
    limits: { previews: 100, resources: { cpu: '2', memory: '4Gi', pods: 20 } },
    secretsFrom: `shared-${id}`,
    network: { policy: 'isolated', allowFrom: ['ingress-nginx'], denyTo: ['10.0.0.0/8', 'fc00::/7'] },
  });
  shared = await createSharedSecrets(world.cluster.client, `shared-${id}`);
  agent = await world.start();
  sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests() });
});

afterAll(async () => {
  await agent?.stop();
  if (world.cluster.isReal) await shared.close();
  await world.close();
});

const quota = (slug: string) => world.find(slug, 'v1', 'ResourceQuota', 'mayfly');
const hardOf = async (slug: string) => ((await quota(slug))?.spec as { hard?: unknown } | undefined)?.hard;

async function secretValue(slug: string, name: string, key: string): Promise<string | null> {
  const data = (await world.find(slug, 'v1', 'Secret', name))?.data as Record<string, string> | undefined;
  return data?.[key] === undefined ? null : Buffer.from(data[key], 'base64').toString('utf8');
}

test('a namespace has a quota, limits and a network policy before anything else is in it', async () => {
  await world.publish({ files: [{ slug: 'furnished', sha }] });
  await world.waitForState('furnished', 'healthy');
  // Without a word of the file the agent's cap holds.
  expect(await hardOf('furnished')).toEqual({
    'limits.cpu': '2',
    'requests.cpu': '2',
    'limits.memory': '4Gi',
    'requests.memory': '4Gi',
    pods: '20',
  });
  const limits = await world.find('furnished', 'v1', 'LimitRange', 'mayfly');
  expect(limits?.spec).toMatchObject({ limits: [{ type: 'Container', default: { cpu: '250m', memory: '512Mi' } }] });
  const policy = await world.find('furnished', 'networking.k8s.io/v1', 'NetworkPolicy', 'mayfly');
  expect(policy?.spec).toMatchObject({
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        from: [
          { podSelector: {} },
          { namespaceSelector: { matchExpressions: [{ operator: 'In', values: ['ingress-nginx'] }] } },
        ],
      },
    ],
  });
  const spec = policy?.spec as { egress?: unknown[] } | undefined;
  expect(spec?.egress?.at(-1)).toEqual({
    to: [
      { ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } },
      { ipBlock: { cidr: '::/0', except: ['fc00::/7'] } },
    ],
  });
  // What was written first has the lower version.
  const service = await world.find('furnished', 'v1', 'Service', 'shop');
  expect(Number(policy?.metadata.resourceVersion)).toBeLessThan(Number(service?.metadata.resourceVersion));
  for (const object of [policy, limits]) {
    expect(object?.metadata.labels).toMatchObject({ 'mayfly.dev/preview': 'furnished' });
  }
});

test('a file asks for less, gets no more than the cap, and a changed annotation changes the quota', async () => {
  await world.publish({ files: [{ slug: 'asks', sha, resources: '{"cpu":"500m","memory":"64Gi","pods":5}' }] });
  await world.waitForState('asks', 'healthy');
  expect(await hardOf('asks')).toMatchObject({ 'limits.cpu': '500m', 'limits.memory': '4Gi', pods: '5' });
  await world.publish({ files: [{ slug: 'asks', sha, resources: '{"pods":6}' }] });
  await eventually(
    'another quota',
    async () => ((await hardOf('asks')) as { pods?: string } | undefined)?.pods === '6',
  );
});

test('an annotation that cannot be followed is refused with its name', async () => {
  await world.publish({ files: [{ slug: 'odd', sha, resources: '{"cpu":"many"}' }] });
  await world.waitForState('odd', 'refused');
  expect(world.manager.newest('odd')?.diagnosis).toMatchObject({
    cause: 'fence',
    object: 'mayfly.dev/resources',
    sentence: expect.stringContaining('cpu is no quantity such as 500m or 8Gi'),
  });
  expect(await world.namespace('odd')).toBeNull();
});

test('furniture that was deleted or changed by hand is there again', async () => {
  await world.publish({ files: [{ slug: 'robbed', sha }] });
  await world.waitForState('robbed', 'healthy');
  const { client } = world.cluster;
  const namespace = world.namespaceOf('robbed');
  const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', name: 'mayfly', namespace };
  const before = await client.get(policy);
  await client.remove(policy);
  await eventually('another policy', async () => {
    const found = await world.find('robbed', policy.apiVersion, policy.kind, policy.name);
    return found !== null && found.metadata.uid !== before.metadata.uid;
  });
  // Another program's hold on the field does not count: these objects are the agent's alone.
  const answer = await client.connection.send({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/resourcequotas/mayfly?fieldManager=some-operator`,
    contentType: 'application/merge-patch+json',
    body: { spec: { hard: { pods: '1000' } } },
    timeoutMs: 5_000,
  });
  await answer.body.dump();
  expect(answer.statusCode).toBe(200);
  await eventually('the old bound', async () => ((await hardOf('robbed')) as { pods?: string }).pods === '20');
});

test('a secret is copied, follows its source, and outlives it with a word', async () => {
  await shared.put('registry-pull', { password: 'first' });
  const file = { slug: 'copies', sha, secrets: '["registry-pull"]' };
  await world.publish({ files: [file] });
  await world.waitForState('copies', 'healthy');
  expect(await secretValue('copies', 'registry-pull', 'password')).toBe('first');
  await shared.put('registry-pull', { password: 'second' });
  await eventually(
    'the new password',
    async () => (await secretValue('copies', 'registry-pull', 'password')) === 'second',
  );
  // A copy that somebody changed is put right, too.
  const copy = { apiVersion: 'v1', kind: 'Secret', name: 'registry-pull', namespace: world.namespaceOf('copies') };
  await world.cluster.client.mergePatch(copy, { data: { password: Buffer.from('stolen').toString('base64') } });
  await eventually(
    'the password is back',
    async () => (await secretValue('copies', 'registry-pull', 'password')) === 'second',
  );
  await shared.remove('registry-pull');
  await eventually('the word', () =>
    world.manager
      .newest('copies')
      ?.objects.some(
        ({ kind, name, message }) => kind === 'Secret' && name === 'registry-pull' && /is gone/.test(message ?? ''),
      ),
  );
  expect(await secretValue('copies', 'registry-pull', 'password')).toBe('second');
  expect(world.manager.newest('copies')?.state).toBe('healthy');
  // No longer asked for: taken away.
  await world.publish({ files: [{ slug: 'copies', sha }] });
  await eventually('no copy', async () => (await world.find('copies', 'v1', 'Secret', 'registry-pull')) === null);
});

test('a copy whose source changes its type is made again', async () => {
  await shared.put('login', { username: 'a', password: 'b' });
  await world.publish({ files: [{ slug: 'typed', sha, secrets: '["login"]' }] });
  await world.waitForState('typed', 'healthy');
  const copy = () => world.find('typed', 'v1', 'Secret', 'login');
  const first = await copy();
  expect(first?.type).toBe('Opaque');
  await shared.remove('login');
  await shared.put('login', { username: 'a', password: 'c' }, 'kubernetes.io/basic-auth');
  const second = await eventually('another copy', async () => {
    const found = await copy();
    return found !== null && found.metadata.uid !== first?.metadata.uid ? found : null;
  });
  expect(second.type).toBe('kubernetes.io/basic-auth');
  expect(await secretValue('typed', 'login', 'password')).toBe('c');
  await world.waitForState('typed', 'healthy');
});

test('a secret that is missing is named, and the preview comes up when it is there', async () => {
  await world.publish({ files: [{ slug: 'awaits', sha, secrets: '["later"]' }] });
  await world.waitForState('awaits', 'degraded');
  expect(world.manager.newest('awaits')?.diagnosis).toMatchObject({
    cause: 'apply',
    object: 'Secret/later',
    sentence: expect.stringContaining(shared.namespace),
  });
  await shared.put('later', { a: 'b' });
  await world.waitForState('awaits', 'healthy');
  expect(await secretValue('awaits', 'later', 'a')).toBe('b');
});

test('a preview that declares the name of a copied secret is refused', async () => {
  await shared.put('settings', { a: 'b' });
  await world.publish({ files: [{ slug: 'collides', sha, secrets: '["settings"]' }] });
  await world.waitForState('collides', 'refused');
  expect(world.manager.newest('collides')?.diagnosis).toMatchObject({ cause: 'fence', object: 'Secret/settings' });
});

test('another configuration of the agent furnishes what lives already, and writes nothing where nothing differs', async () => {
  await world.publish({ files: [{ slug: 'refurnished', sha }] });
  await world.waitForState('refurnished', 'healthy');
  const before = await world.find('refurnished', 'apps/v1', 'Deployment', 'shop');
  await agent.stop();
  world.options.limits = { previews: 100, resources: { cpu: '1', memory: '4Gi', pods: 20 } };
  world.options.network = { policy: 'open', allowFrom: [], denyTo: [] };
  agent = await world.start();
  await eventually('the new bound', async () => {
    const hard = (await hardOf('refurnished')) as Record<string, string>;
    return hard['limits.cpu'] === '1';
  });
  await eventually(
    'no policy',
    async () => (await world.find('refurnished', 'networking.k8s.io/v1', 'NetworkPolicy', 'mayfly')) === null,
  );
  const after = await world.find('refurnished', 'apps/v1', 'Deployment', 'shop');
  expect(after?.metadata.generation).toBe(before?.metadata.generation);
});

test('over the limit a new preview waits with a word, until another one ends', async () => {
  await agent.stop();
  const { items } = await world.cluster.client.list({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: world.options.agentNamespace,
    labelSelector: 'mayfly.dev/memory=inventory',
  });
  world.options.limits = { previews: items.length + 1, resources: null };
  agent = await world.start();
  await world.publish({ files: [{ slug: 'fits', sha }] });
  await world.waitForState('fits', 'healthy');
  await world.publish({ files: [{ slug: 'full', sha }] });
  await world.waitForState('full', 'refused');
  expect(world.manager.newest('full')?.diagnosis?.sentence).toContain('limits.previews');
  expect(await world.namespace('full')).toBeNull();
  // What lives already takes its next revision all the same.
  const next = await world.pushManifests({ 'deploy/shop.yaml': shopManifests({ colour: 'blue' }) });
  await world.publish({ files: [{ slug: 'fits', sha: next }] });
  await world.waitForState('fits', 'healthy', { revision: world.revision({ slug: 'fits', sha: next }) });
  world.manager.explanations.set('fits#1', 'merged');
  await world.publish({ remove: ['fits'] });
  await eventually('room', () => world.manager.newest('full')?.state === 'healthy', 120_000);
}, 180_000);
