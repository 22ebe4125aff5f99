import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../../src/sandbox/cluster/start-cluster.js';
import { type Answer, type ApiClient, accessOf, connect, type Json } from './api-client.js';
import { configMap, deployment, namespace } from './manifests.js';
import { apps, core, errors, histories, patch, tables } from './side-by-side-cases.js';

const kubeconfig = process.env.TEST_KUBECONFIG ?? '';

describe.skipIf(kubeconfig === '')('beside a real API server (needs TEST_KUBECONFIG)', () => {
  const ns = `side-${randomBytes(4).toString('hex')}`;
  let cluster: Cluster;
  let both: [ours: ApiClient, real: ApiClient];

  beforeAll(async () => {
    cluster = await startCluster();
    both = [connect(cluster), connect(await accessOf(kubeconfig))];
    for (const client of both) {
      await client.call('POST', '/api/v1/namespaces', namespace(ns));
      await client.call('POST', core(ns, 'configmaps'), configMap('kept', { a: 'b' }));
      await client.call('POST', apps(ns, 'deployments'), deployment('web', 'nginx:1'));
      await client.until(apps(ns, 'deployments/web'), (answer) => answer.body.status?.observedGeneration !== undefined);
    }
  });
  afterAll(async () => {
    await both[1].call('DELETE', `/api/v1/namespaces/${ns}`);
    for (const client of both) client.close();
    await cluster.close();
  });

  it.each(errors)('answers alike: $name', async ({ ask }) => {
    const [ours, real] = await Promise.all(both.map((client) => ask(client, ns)));
    expect(ours?.code).toBeGreaterThanOrEqual(400);
    expect(plain(ours)).toEqual(plain(real));
  });

  it.each(tables)('prints the same columns: %s', async (path) => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const [ours, real] = await Promise.all(both.map((client) => client.call('GET', `/${path}`, undefined, { accept })));
    expect(columns(ours)).toEqual(columns(real));
  });

  it.each([
    ['configmaps', configMap('gone')],
    ['services', { metadata: { name: 'gone' }, spec: { ports: [{ port: 80 }] } }],
    ['secrets', { metadata: { name: 'gone' } }],
    ['serviceaccounts', { metadata: { name: 'gone' } }],
    ['resourcequotas', { metadata: { name: 'gone' }, spec: { hard: {} } }],
    ['limitranges', { metadata: { name: 'gone' }, spec: { limits: [] } }],
  ])('answers a delete of %s with the same kind of object', async (resource, object) => {
    const kinds = await Promise.all(
      both.map(async (client) => {
        const made = await client.call('POST', core(ns, resource), object);
        expect(made.code).toBe(201);
        const deleted = await client.call('DELETE', core(ns, `${resource}/gone`));
        return { code: deleted.code, kind: deleted.body.kind, status: deleted.body.status };
      }),
    );
    expect(forget(kinds[0])).toEqual(forget(kinds[1]));
  });

  it('refuses new content in a namespace that ends, and names what holds it', async () => {
    const name = `${ns}-end`;
    const answers = await Promise.all(
      both.map(async (client) => {
        await client.call('POST', '/api/v1/namespaces', namespace(name));
        const held = { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/stay'] } };
        await client.call('POST', core(name, 'configmaps'), held);
        const deleted = await client.call('DELETE', `/api/v1/namespaces/${name}`);
        expect(deleted.body.status).toEqual({ phase: 'Terminating' });
        const refused = await client.call('POST', core(name, 'configmaps'), configMap('late'));
        const isHeld = (answer: Answer) =>
          JSON.stringify(answer.body).includes('SomeFinalizersRemain') && !answer.text.includes('kube-root-ca');
        const waiting = await client.until(`/api/v1/namespaces/${name}`, isHeld);
        const free = { metadata: { finalizers: null } };
        await client.call('PATCH', core(name, 'configmaps/held'), free, patch('merge-patch+json'));
        await client.until(`/api/v1/namespaces/${name}`, (answer) => answer.code === 404);
        const conditions = waiting.body.status?.conditions as unknown as Json[];
        return { refused: plain(refused), conditions: conditions.map(({ lastTransitionTime: _, ...rest }) => rest) };
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
  });

  it.each(histories)('makes the same of a history of applies: $name', async ({ resource, steps }) => {
    const results = await Promise.all(
      both.map(async (client, i) => {
        const seen: unknown[] = [];
        for (const [manager, content] of steps) {
          const answer = await client.apply(`/${resource.replace('NS', ns)}`, content, manager);
          expect(answer.code, `${i}: ${answer.text}`).toBeLessThan(300);
          const { labels } = answer.body.metadata ?? {};
          const { clusterIP: _, clusterIPs: __, ...spec } = answer.body.spec ?? {};
          seen.push({ labels, spec, data: answer.body.data });
        }
        return seen;
      }),
    );
    expect(results[0]).toEqual(results[1]);
  });

  it('gives a Deployment the same defaults and the same conditions', async () => {
    const read = async (client: ApiClient) => {
      const path = apps(ns, 'deployments/web');
      const settled = await client.until(path, (answer) => answer.body.status?.conditions !== undefined);
      const conditions = settled.body.status?.conditions as unknown as Json[];
      return { spec: settled.body.spec, types: conditions.map((condition) => condition.type).sort() };
    };
    const [ours, real] = await Promise.all(both.map(read));
    expect(ours).toEqual(real);
  });
});

/** An answer without what differs from server to server by nature. */
function plain(answer: Answer | undefined): unknown {
  const text = (answer?.text ?? '')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UID')
    .replace(/in record \(\d+\)/, 'in record (N)');
  const isJson = text.startsWith('{');
  return { code: answer?.code, body: isJson ? JSON.parse(text) : text.trim() };
}

function columns(answer: Answer | undefined): unknown {
  const definitions = answer?.body.columnDefinitions as unknown as Json[];
  return definitions.map(({ name, type, format, priority }) => ({ name, type, format, priority }));
}

/** A deleted object's own status is its own affair. */
function forget(answer: { code: number; kind: unknown; status: unknown } | undefined): unknown {
  return answer?.kind === 'Status' ? answer : { code: answer?.code, kind: answer?.kind };
}
