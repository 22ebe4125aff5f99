import { at, type JsonObject, type KubeObject, labelsAt, listAt, numberAt, objectAt, textAt } from '../object.js';
import { labelMapText, selectorText } from '../selectors.js';
import { age } from './age.js';
import type { TableSpec } from './spec.js';

const created = (object: KubeObject) => age(object.metadata.creationTimestamp);

export const networkTables: Record<string, TableSpec> = {
  services: {
    columns: ['Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', '*Selector'],
    cells: (service) => [
      service.metadata.name,
      textAt(service, 'spec', 'type') ?? 'ClusterIP',
      textAt(service, 'spec', 'clusterIP') ?? '<none>',
      externalIp(service),
      listAt(service, 'spec', 'ports').map(portText).join(',') || '<none>',
      created(service),
      labelMapText(labelsAt(service, 'spec', 'selector')),
    ],
  },
  endpoints: {
    columns: ['Name', 'Endpoints', 'Age'],
    cells: (object) => [object.metadata.name, endpoints(object), created(object)],
  },
  'endpointslices.discovery.k8s.io': {
    columns: ['Name', 'AddressType', 'Ports', 'Endpoints', 'Age'],
    cells: (slice) => {
      const ports = listAt(slice, 'ports').map((port) => String(port.port));
      const addresses = listAt(slice, 'endpoints').flatMap((endpoint) => at(endpoint, 'addresses') ?? []);
      return [
        slice.metadata.name,
        slice.addressType,
        ports.join(',') || '<unset>',
        addresses.slice(0, 3).join(',') || '<unset>',
        created(slice),
      ];
    },
  },
  'ingresses.networking.k8s.io': {
    columns: ['Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'],
    cells: (ingress) => {
      const hosts = listAt(ingress, 'spec', 'rules').map((rule) => String(rule.host ?? '*'));
      const addresses = listAt(ingress, 'status', 'loadBalancer', 'ingress').map((entry) => entry.ip ?? entry.hostname);
      return [
        ingress.metadata.name,
        textAt(ingress, 'spec', 'ingressClassName') ?? '<none>',
        firstHosts(hosts),
        addresses.join(','),
        listAt(ingress, 'spec', 'tls').length > 0 ? '80, 443' : '80',
        created(ingress),
      ];
    },
  },
  'networkpolicies.networking.k8s.io': {
    columns: ['Name', 'Pod-Selector', 'Age'],
    cells: (policy) => [policy.metadata.name, selectorText(objectAt(policy, 'spec', 'podSelector')), created(policy)],
  },
  'poddisruptionbudgets.policy': {
    columns: ['Name', 'Min Available', 'Max Unavailable', 'Allowed Disruptions|integer', 'Age'],
    cells: (budget) => [
      budget.metadata.name,
      String(at(budget, 'spec', 'minAvailable') ?? 'N/A'),
      String(at(budget, 'spec', 'maxUnavailable') ?? 'N/A'),
      numberAt(budget, 'status', 'disruptionsAllowed') ?? 0,
      created(budget),
    ],
  },
  'horizontalpodautoscalers.autoscaling': {
    columns: ['Name', 'Reference', 'Targets', 'MinPods', 'MaxPods', 'Replicas', 'Age'],
    cells: (scaler) => [
      scaler.metadata.name,
      `${textAt(scaler, 'spec', 'scaleTargetRef', 'kind')}/${textAt(scaler, 'spec', 'scaleTargetRef', 'name')}`,
      listAt(scaler, 'spec', 'metrics').map(metricText).join(', ') || '<none>',
      String(numberAt(scaler, 'spec', 'minReplicas') ?? '<unset>'),
      numberAt(scaler, 'spec', 'maxReplicas') ?? 0,
      numberAt(scaler, 'status', 'currentReplicas') ?? 0,
      created(scaler),
    ],
  },
};

function externalIp(service: KubeObject): string {
  if (textAt(service, 'spec', 'type') === 'ExternalName') return textAt(service, 'spec', 'externalName') ?? '';
  return textAt(service, 'spec', 'type') === 'LoadBalancer' ? '<pending>' : '<none>';
}

function portText(port: JsonObject): string {
  const node = port.nodePort === undefined ? '' : `:${port.nodePort}`;
  return `${port.port}${node}/${port.protocol ?? 'TCP'}`;
}

function endpoints(object: KubeObject): string {
  const all = listAt(object, 'subsets').flatMap((subset) =>
    listAt(subset, 'ports').flatMap((port) => listAt(subset, 'addresses').map((a) => `${a.ip}:${port.port}`)),
  );
  return all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : all.join(',') || '<none>';
}

function firstHosts(hosts: string[]): string {
  if (hosts.length === 0) return '*';
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...` : hosts.join(',');
}

function metricText(metric: JsonObject): string {
  const name = textAt(metric, 'resource', 'name');
  const target = numberAt(metric, 'resource', 'target', 'averageUtilization');
  return name === undefined || target === undefined ? '<unknown>' : `${name}: <unknown>/${target}%`;
}
