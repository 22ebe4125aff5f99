import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { kindRule } from '../../src/agent/fence/kind-rule.js';
import { isAppError } from '../../src/error/app-error.js';
import { openConnection } from '../../src/kube/connection.js';
import { createKubeClient, type KubeClient } from '../../src/kube/kube-client.js';
import { sendJson } from '../../src/kube/send-json.js';
import { realKubeconfig } from '../support/cluster.js';
import { until } from '../support/until.js';
import { agentRules, type DeployObject, readDocuments, verbsFor } from './deploy-files.js';

const suffix = randomBytes(4).toString('hex');
const home = `mayfly-${suffix}`;
const prefix = `preview${suffix}-`;
/** What the agent itself puts into each namespace. */
const furniture: ReadonlySet<string> = new Set(['LimitRange', 'ResourceQuota', 'NetworkPolicy']);

/** The base under names of this run, so that nothing else in the cluster is touched. */
async function agentObjects(): Promise<DeployObject[]> {
  const documents = await Promise.all(
    ['service-account', 'cluster-role', 'admission-policy'].map((name) => readDocuments(`agent/${name}.yaml`)),
  );
  const text = JSON.stringify(documents.flat())
    .replaceAll('"mayfly-agent"', `"mayfly-agent-${suffix}"`)
    .replaceAll('serviceaccount:mayfly:mayfly-agent', `serviceaccount:${home}:mayfly-agent-${suffix}`)
    .replaceAll("'mayfly'", `'${home}'`)
    .replaceAll('"namespace":"mayfly"', `"namespace":"${home}"`)
    .replaceAll("'preview-'", `'${prefix}'`);
  const objects = JSON.parse(text) as DeployObject[];
  return objects.map((object) =>
    object.kind === 'ServiceAccount' ? { ...object, metadata: { ...object.metadata, namespace: home } } : object,
  );
}

describe.skipIf(realKubeconfig === null)('the rights of the agent on a real API server', () => {
  const closers: (() => Promise<void>)[] = [];
  let admin: KubeClient;
  let agent: KubeClient;

  beforeAll(async () => {
    const path = realKubeconfig ?? '';
    const connection = await openConnection({ kubeconfig: { path } });
    closers.push(() => connection.close());
    admin = createKubeClient(connection);
    await admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } });
    closers.push(() => admin.remove({ apiVersion: 'v1', kind: 'Namespace', name: home }));
    for (const object of await agentObjects()) {
      await admin.create(object);
      const { apiVersion, kind, metadata } = object;
      if (metadata.namespace === undefined) closers.push(() => admin.remove({ apiVersion, kind, name: metadata.name }));
    }
    const issued = (await sendJson(connection, {
      method: 'POST',
      path: `/api/v1/namespaces/${home}/serviceaccounts/mayfly-agent-${suffix}/token`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      timeoutMs: 10_000,
    })) as { status: { token: string } };
    const folder = await mkdtemp(join(tmpdir(), 'mayfly-rights-'));
    closers.push(() => rm(folder, { recursive: true }));
    const kubeconfig = parse(await readFile(path, 'utf8')) as { users: { user: unknown }[] };
    for (const entry of kubeconfig.users) entry.user = { token: issued.status.token };
    await writeFile(join(folder, 'kubeconfig'), stringify(kubeconfig), { mode: 0o600 });
    const own = await openConnection({ kubeconfig: { path: join(folder, 'kubeconfig') } });
    closers.push(() => own.close());
    agent = createKubeClient(own);
    await untilPolicyHolds();
  });

  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  /** A new policy takes a moment until the API server minds it. */
  async function untilPolicyHolds(): Promise<void> {
    await until('the admission policy', async () => (await outcome(write(configMap('default'), true))) !== 'done');
  }

  const configMap = (namespace: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `rights-${suffix}`, namespace },
    data: { a: 'b' },
  });
  const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const write = (object: DeployObject, dryRun = false) => agent.apply(object, { dryRun });

  async function outcome(call: Promise<unknown>): Promise<string> {
    return call.then(
      () => 'done',
      (error: unknown) => (isAppError(error) ? error.publicMessage : String(error)),
    );
  }

  it('let it make, fill and remove namespaces of previews', async () => {
    const name = `${prefix}shop-1`;
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: `rights-${suffix}`, namespace: name };
    expect(await outcome(write(namespace(name)))).toBe('done');
    expect(await outcome(write(configMap(name)))).toBe('done');
    expect(await outcome(agent.list({ apiVersion: 'v1', kind: 'Event', namespace: name }))).toBe('done');
    expect(await outcome(agent.remove(reference))).toBe('done');
    expect(await outcome(agent.remove({ apiVersion: 'v1', kind: 'Namespace', name }))).toBe('done');
  });

  it('let it remember in its own namespace, and nothing else there', async () => {
    expect(await outcome(write(configMap(home)))).toBe('done');
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x', namespace: home } };
    expect(await outcome(write(secret))).toContain('writes only in namespaces of previews');
  });

  it('keep it out of every other namespace', async () => {
    const denied = 'writes only in namespaces of previews';
    expect(await outcome(write(namespace(`other-${suffix}`)))).toContain(denied);
    expect(await outcome(write(configMap('default')))).toContain(denied);
    const patch = { metadata: { labels: { a: 'b' } } };
    const system = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' };
    expect(await outcome(agent.mergePatch(system, patch))).toContain(denied);
    expect(await outcome(agent.remove({ apiVersion: 'v1', kind: 'Namespace', name: home }))).toContain(denied);
  });

  it('let it grant no rights', async () => {
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'x', namespace: home } };
    expect(await outcome(write(role))).toMatch(/forbidden|not allowed|may not/i);
  });

  it('cover every kind that the server has and the fence lets in, and none that it refuses', async () => {
    const rules = await agentRules();
    const missing: string[] = [];
    const excessive: string[] = [];
    for (const apiVersion of ['v1', 'apps/v1', 'batch/v1', 'autoscaling/v2', 'policy/v1', 'networking.k8s.io/v1']) {
      const path = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
      const served = (await sendJson(admin.connection, { method: 'GET', path, timeoutMs: 10_000 })) as {
        resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
      };
      const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
      const context = { slug: 's', namespace: 'n', host: null, allowKinds: [], denyKinds: [] };
      for (const { name, kind, namespaced, verbs } of served.resources) {
        if (name.includes('/') || !namespaced || !verbs.includes('patch')) continue;
        const isLetIn = kindRule({ apiVersion, kind, metadata: { name: 'x' } }, context).length === 0;
        const mayWrite = verbsFor(rules, group, name).includes('patch');
        if (isLetIn && !mayWrite) missing.push(`${apiVersion} ${kind}`);
        if (!isLetIn && mayWrite && !furniture.has(kind)) excessive.push(`${apiVersion} ${kind}`);
        if (furniture.has(kind) && !mayWrite) missing.push(`${apiVersion} ${kind}`);
      }
    }
    expect({ missing, excessive }).toEqual({ missing: [], excessive: [] });
  });
});
