import { describe, expect, test } from 'vitest';
import { checkFence, type FenceDeps, maxObjects, type Refusal } from '../../../src/agent/fence/check-fence.js';
import type { FenceContext } from '../../../src/agent/fence/fence-rule.js';
import type { Manifest } from '../../../src/agent/manifest.js';
import { manifestDocuments } from '../../../src/agent/source/manifest-documents.js';
import { AppError, isAppError } from '../../../src/error/app-error.js';

/** Scopes as the API server tells them. */
const clusterScoped = new Set(['Namespace', 'Node', 'PersistentVolume', 'IngressClass', 'ClusterWidget']);

const deps: FenceDeps = {
  async isNamespaced(_, kind) {
    if (kind === 'NoSuchKind')
      throw new AppError({ code: 'kube-unknown-kind', disposition: 'stall', publicMessage: '-' });
    return !clusterScoped.has(kind);
  },
};

const context: FenceContext = {
  slug: 'shop-42',
  namespace: 'preview-shop-42',
  host: 'shop-42.preview.example.com',
  allowKinds: ['widgets.example.com/ClusterWidget', 'widgets.example.com/Widget'],
  denyKinds: ['apps/DaemonSet'],
};

async function refusals(yaml: string, change: Partial<FenceContext> = {}): Promise<Refusal[]> {
  return refusalsOf(manifestDocuments('test.yaml', yaml), change);
}

async function refusalsOf(manifests: Manifest[], change: Partial<FenceContext> = {}): Promise<Refusal[]> {
  try {
    await checkFence(deps, manifests, { ...context, ...change });
    return [];
  } catch (error) {
    if (!isAppError(error, 'fence-refused')) throw error;
    return error.data.refusals as Refusal[];
  }
}

function map(metadata: string): string {
  return `{apiVersion: v1, kind: ConfigMap, metadata: {name: a, ${metadata}}}`;
}

function service(spec: string): string {
  return `{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {${spec}}}`;
}

function ingress(spec: string, annotations = ''): string {
  return `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, annotations: {${annotations}}}, spec: {${spec}}}`;
}

function route(spec: string, kind = 'HTTPRoute'): string {
  return `{apiVersion: gateway.networking.k8s.io/v1, kind: ${kind}, metadata: {name: web}, spec: {${spec}}}`;
}

function deployment(pod: string, template = ''): string {
  return `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {metadata: {${template}}, spec: {${pod}}}}}`;
}

function kind(apiVersion: string, name: string): string {
  return `{apiVersion: ${apiVersion}, kind: ${name}, metadata: {name: a}}`;
}

/** What is tried, the object that is named, and a word of the reason. */
const hostile: [string, string, string, string][] = [
  // Cluster-scoped kinds.
  ['a Namespace', kind('v1', 'Namespace'), 'Namespace/a', 'cluster-scoped'],
  ['a PersistentVolume', kind('v1', 'PersistentVolume'), 'PersistentVolume/a', 'cluster-scoped'],
  ['an IngressClass', kind('networking.k8s.io/v1', 'IngressClass'), 'IngressClass/a', 'cluster-scoped'],
  ['a ClusterRole', kind('rbac.authorization.k8s.io/v1', 'ClusterRole'), 'ClusterRole/a', 'cluster-scoped'],
  [
    'a ClusterRoleBinding',
    kind('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'),
    'ClusterRoleBinding/a',
    'cluster-scoped',
  ],
  [
    'a CustomResourceDefinition',
    kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
    'CustomResourceDefinition/a',
    'cluster-scoped',
  ],
  [
    'a webhook',
    kind('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
    'MutatingWebhookConfiguration/a',
    'cluster-scoped',
  ],
  ['an APIService', kind('apiregistration.k8s.io/v1', 'APIService'), 'APIService/a', 'cluster-scoped'],
  ['a PriorityClass', kind('scheduling.k8s.io/v1', 'PriorityClass'), 'PriorityClass/a', 'cluster-scoped'],
  [
    'an allowed kind that turns out cluster-scoped',
    kind('widgets.example.com/v1', 'ClusterWidget'),
    'ClusterWidget/a',
    'cluster-scoped',
  ],
  // What the operator or Mayfly decides.
  ['a NetworkPolicy', kind('networking.k8s.io/v1', 'NetworkPolicy'), 'NetworkPolicy/a', 'network policy'],
  ['a ResourceQuota', kind('v1', 'ResourceQuota'), 'ResourceQuota/a', 'quota'],
  ['a LimitRange', kind('v1', 'LimitRange'), 'LimitRange/a', 'limits'],
  ['a Role', kind('rbac.authorization.k8s.io/v1', 'Role'), 'Role/a', 'rights'],
  ['a RoleBinding', kind('rbac.authorization.k8s.io/v1', 'RoleBinding'), 'RoleBinding/a', 'rights'],
  ['Endpoints', kind('v1', 'Endpoints'), 'Endpoints/a', 'outside the preview'],
  ['an EndpointSlice', kind('discovery.k8s.io/v1', 'EndpointSlice'), 'EndpointSlice/a', 'outside the preview'],
  [
    'a ReferenceGrant',
    kind('gateway.networking.k8s.io/v1beta1', 'ReferenceGrant'),
    'ReferenceGrant/a',
    'other namespaces',
  ],
  ['a Gateway', kind('gateway.networking.k8s.io/v1', 'Gateway'), 'Gateway/a', 'kinds.allow'],
  ['an operator’s kind', kind('external-secrets.io/v1', 'ExternalSecret'), 'ExternalSecret/a', 'kinds.allow'],
  [
    'a kind that Flux would carry out',
    kind('kustomize.toolkit.fluxcd.io/v1', 'Kustomization'),
    'Kustomization/a',
    'kinds.allow',
  ],
  ['a Lease', kind('coordination.k8s.io/v1', 'Lease'), 'Lease/a', 'kinds.allow'],
  ['an Event', kind('v1', 'Event'), 'Event/a', 'cluster'],
  ['a kind that the operator keeps out', kind('apps/v1', 'DaemonSet'), 'DaemonSet/a', 'configuration'],
  [
    'an Application of another project',
    '{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: a}, spec: {project: admin, destination: {name: default, namespace: preview-shop-42}}}',
    'Application/a',
    'not supported',
  ],
  [
    'an Application for another namespace',
    '{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: a}, spec: {project: default, destination: {name: default, namespace: kube-system}}}',
    'Application/a',
    'not supported',
  ],
  ['an ApplicationSet', kind('argoproj.io/v1alpha1', 'ApplicationSet'), 'ApplicationSet/a', 'Applications'],
  ['an AppProject', kind('argoproj.io/v1alpha1', 'AppProject'), 'AppProject/a', 'projects'],
  // Metadata that makes an object another's, or outlive its preview.
  ['another namespace', map('namespace: kube-system'), 'ConfigMap/a', 'metadata.namespace'],
  ['another preview’s namespace', map('namespace: preview-shop-43'), 'ConfigMap/a', 'metadata.namespace'],
  ['a generated name', map('generateName: a-'), 'ConfigMap/a', 'generateName'],
  [
    'an owner',
    map('ownerReferences: [{apiVersion: v1, kind: Node, name: n, uid: u}]'),
    'ConfigMap/a',
    'ownerReferences',
  ],
  ['a finalizer', map('finalizers: [example.com/never]'), 'ConfigMap/a', 'finalizers'],
  ['a uid', map('uid: 1-2-3'), 'ConfigMap/a', 'metadata.uid'],
  ['a resource version', map('resourceVersion: "1"'), 'ConfigMap/a', 'resourceVersion'],
  ['managed fields', map('managedFields: []'), 'ConfigMap/a', 'managedFields'],
  ['a deletion time', map('deletionTimestamp: "2026-01-01T00:00:00Z"'), 'ConfigMap/a', 'deletionTimestamp'],
  ['Mayfly’s label', map('labels: {mayfly.dev/preview: other}'), 'ConfigMap/a', 'mayfly.dev/preview'],
  ['Mayfly’s annotation', map('annotations: {mayfly.dev/url: "https://x"}'), 'ConfigMap/a', 'mayfly.dev/url'],
  [
    'Mayfly’s label on pods',
    deployment('', 'labels: {mayfly.dev/installation: x}'),
    'Deployment/web',
    'mayfly.dev/installation',
  ],
  [
    'Mayfly’s name',
    '{apiVersion: v1, kind: Secret, metadata: {name: mayfly-pull}}',
    'Secret/mayfly-pull',
    'Mayfly uses',
  ],
  [
    'the cluster’s name',
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: kube-root-ca.crt}}',
    'ConfigMap/kube-root-ca.crt',
    'cluster',
  ],
  ['Argo CD’s label', map('labels: {argocd.argoproj.io/instance: prod}'), 'ConfigMap/a', 'another program'],
  ['Flux’s label', map('labels: {kustomize.toolkit.fluxcd.io/name: prod}'), 'ConfigMap/a', 'another program'],
  [
    'a status',
    '{apiVersion: v1, kind: Service, metadata: {name: web}, status: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}}',
    'Service/web',
    'status',
  ],
  // Annotations that give orders to programs with rights of their own.
  [
    'a DNS name',
    map('annotations: {external-dns.alpha.kubernetes.io/hostname: www.example.com}'),
    'ConfigMap/a',
    'external-dns',
  ],
  [
    'a snippet of nginx',
    ingress('rules: [{host: shop-42.preview.example.com}]', 'nginx.ingress.kubernetes.io/configuration-snippet: "lua"'),
    'Ingress/web',
    'configuration-snippet',
  ],
  [
    'a cloud role',
    '{apiVersion: v1, kind: ServiceAccount, metadata: {name: a, annotations: {eks.amazonaws.com/role-arn: arn}}}',
    'ServiceAccount/a',
    'eks.amazonaws.com/role-arn',
  ],
  [
    'a vault’s injector on pods',
    deployment('', 'annotations: {vault.hashicorp.com/agent-inject: "true"}'),
    'Deployment/web',
    'vault.hashicorp.com',
  ],
  [
    'an annotation of Argo CD’s that is for its own namespaces',
    map('annotations: {argocd.argoproj.io/managed-by: argocd}'),
    'ConfigMap/a',
    'argocd.argoproj.io/managed-by',
  ],
  [
    'a label that looks like the annotation for conflicts',
    map('labels: {mayfly.dev/force-conflicts: "true"}'),
    'ConfigMap/a',
    "is Mayfly's",
  ],
  [
    'the annotation of a run of a hook',
    map('annotations: {mayfly.dev/hook-run: PreSync-1}'),
    'ConfigMap/a',
    "is Mayfly's",
  ],
  [
    'Argo CD’s tracking',
    map('annotations: {argocd.argoproj.io/tracking-id: "prod:/ConfigMap:a"}'),
    'ConfigMap/a',
    'tracking-id',
  ],
  // Services that lead out.
  ['a NodePort', service('type: NodePort'), 'Service/web', 'NodePort'],
  ['a LoadBalancer', service('type: LoadBalancer'), 'Service/web', 'LoadBalancer'],
  ['an ExternalName', service('type: ExternalName, externalName: metadata.internal'), 'Service/web', 'ExternalName'],
  ['external IPs', service('externalIPs: [10.0.0.1]'), 'Service/web', 'externalIPs'],
  ['a load balancer’s IP', service('loadBalancerIP: 10.0.0.1'), 'Service/web', 'loadBalancerIP'],
  // Hosts that are not the preview's.
  ['another host', ingress('rules: [{host: www.example.com}]'), 'Ingress/web', 'www.example.com'],
  ['another preview’s host', ingress('rules: [{host: shop-43.preview.example.com}]'), 'Ingress/web', 'shop-43'],
  ['a host that only ends alike', ingress('rules: [{host: evil-shop-42.preview.example.com}]'), 'Ingress/web', 'evil'],
  [
    'a wildcard above its own',
    ingress('rules: [{host: "*.preview.example.com"}]'),
    'Ingress/web',
    'preview.example.com',
  ],
  ['every host', ingress('rules: [{http: {paths: []}}]'), 'Ingress/web', '(any)'],
  ['no rule', ingress(''), 'Ingress/web', 'names no host'],
  [
    'a default backend',
    ingress('defaultBackend: {service: {name: web}}, rules: [{host: shop-42.preview.example.com}]'),
    'Ingress/web',
    'defaultBackend',
  ],
  [
    'another host’s certificate',
    ingress('rules: [{host: shop-42.preview.example.com}], tls: [{hosts: [www.example.com]}]'),
    'Ingress/web',
    'www.example.com',
  ],
  ['a route of another host', route('hostnames: [www.example.com]'), 'HTTPRoute/web', 'www.example.com'],
  ['a route of every host', route('rules: []'), 'HTTPRoute/web', 'names no host'],
  [
    'a GRPCRoute of another host',
    route('hostnames: [www.example.com]', 'GRPCRoute'),
    'GRPCRoute/web',
    'www.example.com',
  ],
  ['a TLSRoute of another host', route('hostnames: [www.example.com]', 'TLSRoute'), 'TLSRoute/web', 'www.example.com'],
  ['a TCPRoute', route('rules: []', 'TCPRoute'), 'TCPRoute/web', 'kinds.allow'],
  [
    'a route to another namespace',
    route('hostnames: [shop-42.preview.example.com], rules: [{backendRefs: [{name: db, namespace: prod}]}]'),
    'HTTPRoute/web',
    'another namespace',
  ],
  [
    'a mirror to another namespace',
    route(
      'hostnames: [shop-42.preview.example.com], rules: [{filters: [{requestMirror: {backendRef: {name: db, namespace: prod}}}]}]',
    ),
    'HTTPRoute/web',
    'another namespace',
  ],
  // What pod security does not look at.
  [
    'a token Secret',
    '{apiVersion: v1, kind: Secret, metadata: {name: t}, type: kubernetes.io/service-account-token}',
    'Secret/t',
    'cluster identity',
  ],
  ['a system priority', deployment('priorityClassName: system-node-critical'), 'Deployment/web', 'system priority'],
  ['a node of its choice', deployment('nodeName: master-0'), 'Deployment/web', 'nodeName'],
  [
    'a CronJob’s node',
    '{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {template: {spec: {nodeName: master-0}}}}}}',
    'CronJob/c',
    'nodeName',
  ],
  [
    'another’s volume',
    '{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d}, spec: {volumeName: pv-of-prod}}',
    'PersistentVolumeClaim/d',
    'volumeName',
  ],
  [
    'another’s volume in a template',
    '{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {volumeClaimTemplates: [{spec: {volumeName: pv}}]}}',
    'StatefulSet/s',
    'volumeName',
  ],
  [
    'another namespace’s data',
    '{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d}, spec: {dataSourceRef: {kind: P, name: p, namespace: prod}}}',
    'PersistentVolumeClaim/d',
    'dataSourceRef',
  ],
  // Several at once.
  ['an object twice', `${map('')}\n---\n${map('labels: {b: c}')}`, 'ConfigMap/a', 'twice'],
  [
    'an object twice by two versions',
    '{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: h}}\n---\n{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}}',
    'HorizontalPodAutoscaler/h',
    'twice',
  ],
  [
    'a hostile object in a List',
    `{apiVersion: v1, kind: List, items: [${kind('v1', 'ResourceQuota')}]}`,
    'ResourceQuota/a',
    'quota',
  ],
  [
    'a hostile object in a typed list',
    `{apiVersion: v1, kind: SecretList, items: [${kind('rbac.authorization.k8s.io/v1', 'Role')}]}`,
    'Role/a',
    'rights',
  ],
];

describe('refused', () => {
  test.each(hostile)('%s', async (_, yaml, object, word) => {
    const found = await refusals(yaml);
    expect(found.map((each) => each.object)).toContain(object);
    expect(found.map((each) => each.reason).join('; ')).toContain(word);
  });

  test('more objects than a preview may have', async () => {
    const many = Array.from({ length: maxObjects + 1 }, (_, index) => map('').replace('name: a', `name: a${index}`));
    expect((await refusals(many.join('\n---\n')))[0]?.reason).toContain(`at most ${maxObjects}`);
  });

  test('any host, when the agent does not allow that of the preview’s URL', async () => {
    const yaml = ingress('rules: [{host: shop-42.preview.example.com}]');
    expect((await refusals(yaml, { host: null }))[0]?.reason).toContain('no URL');
  });

  test('a List inside a List, before it is even looked at', async () => {
    const nested = `{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, items: [${kind('v1', 'Pod')}]}]}`;
    await expect(refusals(nested)).rejects.toMatchObject({ code: 'source-invalid' });
  });

  test('one hostile object refuses all, and each is named', async () => {
    const found = await refusals(`${map('')}\n---\n${kind('v1', 'Namespace')}\n---\n${kind('v1', 'LimitRange')}`);
    expect(found.map(({ object }) => object)).toEqual(['Namespace/a', 'LimitRange/a']);
  });
});

describe('let through', () => {
  const harmless: [string, string][] = [
    ['its own namespace', map('namespace: preview-shop-42')],
    ['a plain Service', service('type: ClusterIP, ports: [{port: 80}]')],
    ['a headless Service', service('clusterIP: None')],
    ['its own host', ingress('rules: [{host: shop-42.preview.example.com}]')],
    [
      'hosts below its own',
      ingress('rules: [{host: api.shop-42.preview.example.com}, {host: "*.shop-42.preview.example.com"}]'),
    ],
    ['its own host in capitals', ingress('rules: [{host: Shop-42.preview.example.com}]')],
    [
      'a route of its own host',
      route('hostnames: [shop-42.preview.example.com], parentRefs: [{name: public, namespace: gateways}]'),
    ],
    [
      'annotations on the list',
      deployment('', 'annotations: {checksum/config: abc, prometheus.io/scrape: "true", plain: x}'),
    ],
    [
      'what tools leave empty',
      '{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, creationTimestamp: null}, status: {}}',
    ],
    ['a kind that the operator allows', kind('widgets.example.com/v1', 'Widget')],
    ['an autoscaler', kind('autoscaling/v2', 'HorizontalPodAutoscaler')],
    ['a disruption budget', kind('policy/v1', 'PodDisruptionBudget')],
    ['a Job', kind('batch/v1', 'Job')],
  ];

  test.each(harmless)('%s', async (_, yaml) => {
    expect(await refusals(yaml)).toEqual([]);
  });
});
