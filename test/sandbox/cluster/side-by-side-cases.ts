import type { Answer, ApiClient } from './api-client.js';
import { configMap, deployment, namespace } from './manifests.js';

/** One request whose answers of both servers must say the same. */
export interface Case {
  name: string;
  ask(client: ApiClient, ns: string): Promise<Answer>;
}

export const core = (ns: string, rest: string) => `/api/v1/namespaces/${ns}/${rest}`;
export const apps = (ns: string, rest: string) => `/apis/apps/v1/namespaces/${ns}/${rest}`;
export const patch = (type: string) => ({ 'content-type': `application/${type}` });
const strict = '?fieldValidation=Strict';

export const errors: Case[] = [
  { name: 'an object that is not there', ask: (c, ns) => c.call('GET', core(ns, 'configmaps/none')) },
  { name: 'a workload that is not there', ask: (c, ns) => c.call('GET', apps(ns, 'deployments/none')) },
  { name: 'a delete of what is not there', ask: (c, ns) => c.call('DELETE', apps(ns, 'deployments/none')) },
  { name: 'a resource that is not served', ask: (c) => c.call('GET', '/api/v1/nonsense') },
  { name: 'a group that is not served', ask: (c) => c.call('GET', '/apis/nonsense/v1/things') },
  {
    name: 'a namespace that is not there',
    ask: (c) => c.call('POST', core('not-there', 'configmaps'), configMap('x')),
  },
  { name: 'a name that is taken', ask: (c, ns) => c.call('POST', core(ns, 'configmaps'), configMap('kept')) },
  { name: 'a namespace that is taken', ask: (c, ns) => c.call('POST', '/api/v1/namespaces', namespace(ns)) },
  {
    name: 'a PUT from an older state',
    ask: (c, ns) =>
      c.call('PUT', core(ns, 'configmaps/kept'), {
        ...configMap('kept'),
        metadata: { name: 'kept', resourceVersion: '1' },
      }),
  },
  {
    name: 'a patch from an older state',
    ask: (c, ns) =>
      c.call('PATCH', apps(ns, 'deployments/web'), { metadata: { resourceVersion: '1' } }, patch('merge-patch+json')),
  },
  {
    name: 'a delete with another uid',
    ask: (c, ns) => c.call('DELETE', core(ns, 'configmaps/kept'), { preconditions: { uid: 'another' } }),
  },
  {
    name: 'a delete of a workload with another uid',
    ask: (c, ns) => c.call('DELETE', apps(ns, 'deployments/web'), { preconditions: { uid: 'another' } }),
  },
  {
    name: 'a delete with another resource version',
    ask: (c, ns) => c.call('DELETE', core(ns, 'configmaps/kept'), { preconditions: { resourceVersion: '1' } }),
  },
  { name: 'a PUT with another name', ask: (c, ns) => c.call('PUT', core(ns, 'configmaps/kept'), configMap('other')) },
  { name: 'a name with capitals', ask: (c, ns) => c.call('POST', core(ns, 'configmaps'), configMap('Upper')) },
  { name: 'a namespace name with dots', ask: (c) => c.call('POST', '/api/v1/namespaces', namespace('a.b')) },
  { name: 'no name', ask: (c, ns) => c.call('POST', core(ns, 'configmaps'), { apiVersion: 'v1', kind: 'ConfigMap' }) },
  {
    name: 'an unknown field, checked strictly',
    ask: (c, ns) => c.call('POST', core(ns, `configmaps${strict}`), { ...configMap('x'), extra: { a: 1 } }),
  },
  {
    name: 'another namespace in the object',
    ask: (c, ns) =>
      c.call('POST', core(ns, 'configmaps'), { ...configMap('x'), metadata: { name: 'x', namespace: 'other' } }),
  },
  {
    name: 'a Deployment without anything',
    ask: (c, ns) => c.call('POST', apps(ns, 'deployments'), { metadata: { name: 'x' }, spec: {} }),
  },
  {
    name: 'a selector that does not match',
    ask: (c, ns) =>
      c.call('POST', apps(ns, 'deployments'), deployment('x', 'x:1', { selector: { matchLabels: { app: 'y' } } })),
  },
  {
    name: 'a selector that changes',
    ask: (c, ns) =>
      c.call(
        'PATCH',
        apps(ns, 'deployments/web'),
        { spec: { selector: { matchLabels: { z: 'z' } } } },
        patch('merge-patch+json'),
      ),
  },
  {
    name: 'an applied field that is unknown',
    ask: (c, ns) => c.apply(apps(ns, 'deployments/web'), deployment('web', 'x:1', { nope: 1 })),
  },
  {
    name: 'an applied field of a wrong type',
    ask: (c, ns) => c.apply(apps(ns, 'deployments/web'), deployment('web', 'x:1', { replicas: 'many' })),
  },
  {
    name: 'an apply with another name',
    ask: (c, ns) => c.apply(apps(ns, 'deployments/web'), deployment('other', 'x:1')),
  },
  {
    name: 'an apply without a manager',
    ask: (c, ns) => c.call('PATCH', apps(ns, 'deployments/web'), deployment('web', 'x:1'), patch('apply-patch+yaml')),
  },
  {
    name: 'an apply that expects a uid where nothing is',
    ask: (c, ns) =>
      c.apply(apps(ns, 'deployments/new'), { ...deployment('new', 'x:1'), metadata: { name: 'new', uid: 'u' } }),
  },
  {
    name: 'a JSON patch whose test fails',
    ask: (c, ns) =>
      c.call(
        'PATCH',
        core(ns, 'configmaps/kept'),
        [{ op: 'test', path: '/data/a', value: 'z' }],
        patch('json-patch+json'),
      ),
  },
  {
    name: 'a patch of an unknown type',
    ask: (c, ns) => c.call('PATCH', core(ns, 'configmaps/kept'), {}, patch('nonsense')),
  },
  { name: 'a POST to an object', ask: (c, ns) => c.call('POST', core(ns, 'configmaps/kept'), configMap('kept')) },
  {
    name: 'a field selector on another field',
    ask: (c, ns) => c.call('GET', core(ns, 'configmaps?fieldSelector=data.x=1')),
  },
  { name: 'a label selector that is none', ask: (c, ns) => c.call('GET', core(ns, 'configmaps?labelSelector=a+b')) },
];

export interface History {
  name: string;
  /** `NS` stands for the namespace. */
  resource: string;
  steps: [manager: string, content: unknown][];
}

const service = (spec: unknown) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'svc' }, spec });
const pods = (containers: unknown[], more: object = {}) =>
  deployment('app', '', { template: { metadata: { labels: { app: 'app' } }, spec: { containers, ...more } } });
const main = (more: object) => ({ name: 'main', image: 'x:1', ...more });
const env = (...names: string[]) => names.map((name) => ({ name, value: '1' }));

export const histories: History[] = [
  {
    name: 'keys of a map',
    resource: 'api/v1/namespaces/NS/configmaps/map',
    steps: [
      ['one', configMap('map', { a: '1', b: '1' })],
      ['two', configMap('map', { b: '1', c: '1' })],
      ['one', configMap('map', { d: '1' })],
      ['two', { ...configMap('map'), data: undefined }],
      ['one', { ...configMap('map', { d: '1' }), metadata: { name: 'map', labels: { x: 'y' } } }],
      ['one', configMap('map', { d: '2' })],
    ],
  },
  {
    name: 'ports of a Service',
    resource: 'api/v1/namespaces/NS/services/svc',
    steps: [
      ['one', service({ selector: { app: 'a', tier: 'x' }, ports: [{ name: 'a', port: 80 }] })],
      ['two', service({ selector: { app: 'b' }, ports: [{ name: 'b', port: 81 }] })],
      ['one', service({ selector: { app: 'b' }, ports: [{ name: 'c', port: 82, targetPort: 'http' }] })],
      ['two', service({ ports: [{ name: 'c', port: 82 }] })],
    ],
  },
  {
    name: 'containers, variables and volumes',
    resource: 'apis/apps/v1/namespaces/NS/deployments/app',
    steps: [
      ['one', pods([main({ env: env('A', 'B'), ports: [{ containerPort: 80 }] }), { name: 'side', image: 'y:1' }])],
      ['two', pods([main({ env: env('C') })])],
      ['one', pods([main({ env: env('B', 'D'), image: 'x:2', args: ['a', 'b'] })])],
      ['one', pods([main({ resources: { limits: { cpu: '1' } } })], { volumes: [{ name: 'v', emptyDir: {} }] })],
      ['one', pods([main({})], { securityContext: { runAsNonRoot: true } })],
      ['one', pods([main({})])],
    ],
  },
];

export const tables = [
  'api/v1/namespaces',
  'api/v1/nodes',
  ...['pods', 'services', 'configmaps', 'secrets', 'serviceaccounts', 'events', 'persistentvolumeclaims'].map(
    (r) => `api/v1/${r}`,
  ),
  ...['resourcequotas', 'limitranges', 'endpoints'].map((r) => `api/v1/${r}`),
  ...['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'controllerrevisions'].map(
    (r) => `apis/apps/v1/${r}`,
  ),
  ...['jobs', 'cronjobs'].map((r) => `apis/batch/v1/${r}`),
  ...['ingresses', 'networkpolicies', 'ingressclasses'].map((r) => `apis/networking.k8s.io/v1/${r}`),
  'apis/autoscaling/v2/horizontalpodautoscalers',
  'apis/policy/v1/poddisruptionbudgets',
  ...['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map(
    (r) => `apis/rbac.authorization.k8s.io/v1/${r}`,
  ),
  'apis/coordination.k8s.io/v1/leases',
  'apis/discovery.k8s.io/v1/endpointslices',
  'apis/events.k8s.io/v1/events',
  'apis/storage.k8s.io/v1/storageclasses',
];
