import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { kindRule } from '../../src/agent/fence/kind-rule.js';
import { loadAgentConfig } from '../../src/config/load-agent-config.js';
import { loadManagerConfig } from '../../src/config/load-manager-config.js';
import { createAgentMetrics } from '../../src/metrics/agent-metrics.js';
import { createManagerMetrics } from '../../src/metrics/manager-metrics.js';
import { agentRules, type DeployObject, readDocuments, verbsFor } from './deploy-files.js';

const everything = ['get', 'list', 'watch', 'create', 'patch', 'delete'];

describe('the files of deploy/', () => {
  it('are YAML, and each Kustomize base names files that are there', async () => {
    const files = (await readdir('deploy', { recursive: true })).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThanOrEqual(11);
    for (const file of files) expect(await readDocuments(file), file).not.toEqual([]);
    for (const base of ['manager', 'agent']) {
      const [kustomization] = await readDocuments(`${base}/kustomization.yaml`);
      for (const resource of (kustomization?.resources ?? []) as string[])
        expect(files).toContain(join(base, resource));
    }
  });

  it('have example configurations that the programs take', async () => {
    const names = ['GITLAB_TOKEN', 'WEBHOOK_SECRET', 'GIT_TOKEN', 'AGENT_TOKEN', 'GIT_READ_TOKEN'];
    const environment = {
      ...Object.fromEntries(names.map((name) => [name, `${name.toLowerCase()}-0123456789`])),
      DATABASE_URL: 'postgres://mayfly@db/mayfly',
    };
    const manager = await loadManagerConfig({ file: 'deploy/manager/mayfly.yaml', environment });
    const agent = await loadAgentConfig({ file: 'deploy/agent/agent.yaml', environment });
    expect([...manager.warnings, ...agent.warnings]).toEqual([]);
    expect(manager.config.agents[0]).toMatchObject({ name: agent.config.name, token: agent.config.manager?.token });
    expect(manager.config.agents[0]?.namespacePrefix).toBe(agent.config.namespacePrefix);
  });

  it.each([
    ['manager', { http: 8080, metrics: 9090 }],
    ['agent', { metrics: 9091 }],
  ])('run the %s without rights, on the ports of its configuration', async (base, ports) => {
    const [deployment] = await readDocuments(`${base}/deployment.yaml`);
    const pod = podOf(deployment);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    const [container] = pod.containers;
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(Object.fromEntries((container?.ports ?? []).map((port) => [port.name, port.containerPort]))).toEqual(ports);
    expect(pod.automountServiceAccountToken).toBe(base === 'manager' ? false : undefined);
  });

  it('alert on metrics that there are', async () => {
    const empty = async () => [];
    const metrics = createManagerMetrics(
      { previews: empty, queueDepth: empty, oldestUnpublished: empty, breaker: empty, agentLastSeen: empty },
      { log: pino({ level: 'silent' }) },
    );
    const body = (await metrics.render()).body + (await createAgentMetrics().render()).body;
    const text = await readFile('deploy/alerts.yaml', 'utf8');
    const used = new Set([...text.matchAll(/expr:.*/g)].flatMap(([line]) => line.match(/mayfly_[a-z_]+/g) ?? []));
    expect(used.size).toBeGreaterThanOrEqual(9);
    for (const name of used) expect(body).toContain(`# TYPE ${name} `);
  });
});

describe('the rights of the agent', () => {
  const kinds: [string, string, string][] = [
    ['', 'v1', 'ConfigMap'],
    ['', 'v1', 'Secret'],
    ['', 'v1', 'Service'],
    ['', 'v1', 'ServiceAccount'],
    ['', 'v1', 'PersistentVolumeClaim'],
    ['', 'v1', 'Pod'],
    ['', 'v1', 'PodTemplate'],
    ['', 'v1', 'ReplicationController'],
    ['apps', 'v1', 'Deployment'],
    ['apps', 'v1', 'StatefulSet'],
    ['apps', 'v1', 'DaemonSet'],
    ['apps', 'v1', 'ReplicaSet'],
    ['batch', 'v1', 'Job'],
    ['batch', 'v1', 'CronJob'],
    ['autoscaling', 'v2', 'HorizontalPodAutoscaler'],
    ['policy', 'v1', 'PodDisruptionBudget'],
    ['networking.k8s.io', 'v1', 'Ingress'],
    ['gateway.networking.k8s.io', 'v1', 'HTTPRoute'],
    ['gateway.networking.k8s.io', 'v1', 'GRPCRoute'],
    ['gateway.networking.k8s.io', 'v1alpha2', 'TLSRoute'],
  ];
  it.each(kinds)('cover what the fence lets in: %s/%s %s', async (group, version, kind) => {
    expect(refusals(group, version, kind)).toEqual([]);
    expect(verbsFor(await agentRules(), group, plural(kind)).sort()).toEqual([...everything].sort());
  });

  it.each([
    ['', 'ResourceQuota'],
    ['', 'LimitRange'],
    ['networking.k8s.io', 'NetworkPolicy'],
  ])(
    'cover what the agent itself puts into a namespace, and the fence refuses to previews: %s %s',
    async (group, kind) => {
      expect(refusals(group, 'v1', kind)).not.toEqual([]);
      expect(verbsFor(await agentRules(), group, plural(kind)).sort()).toEqual([...everything].sort());
    },
  );

  it.each([
    ['', 'Endpoints'],
    ['rbac.authorization.k8s.io', 'Role'],
    ['rbac.authorization.k8s.io', 'RoleBinding'],
    ['rbac.authorization.k8s.io', 'ClusterRoleBinding'],
    ['discovery.k8s.io', 'EndpointSlice'],
  ])('do not cover what it refuses: %s %s', async (group, kind) => {
    expect(refusals(group, 'v1', kind)).not.toEqual([]);
    expect(verbsFor(await agentRules(), group, plural(kind))).toEqual([]);
  });

  it('have no wildcard', async () => {
    const words = (await agentRules()).flatMap((rule) => [...rule.apiGroups, ...rule.resources, ...rule.verbs]);
    expect(words).not.toContain('*');
  });
});

function refusals(group: string, version: string, kind: string): string[] {
  const manifest = { apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata: { name: 'x' } };
  return kindRule(manifest, { slug: 'shop-1', namespace: 'preview-shop-1', host: null, allowKinds: [], denyKinds: [] });
}

function plural(kind: string): string {
  const name = kind.toLowerCase();
  if (name === 'endpoints') return name;
  if (name.endsWith('s')) return `${name}es`;
  return name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`;
}

interface Pod {
  automountServiceAccountToken?: boolean;
  securityContext: unknown;
  containers: { securityContext: unknown; ports: { name: string; containerPort: number }[] }[];
}

function podOf(deployment: DeployObject | undefined): Pod {
  const spec = deployment?.spec as { template: { spec: Pod } };
  return spec.template.spec;
}
