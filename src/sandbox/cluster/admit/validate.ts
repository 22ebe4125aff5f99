import type { FieldFault } from '../api-error.js';
import { at, equal, isObject, type KubeObject, labelsAt, listAt, objectAt, textAt } from '../object.js';
import { workloadSelector } from '../selectors.js';

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const workloads = new Set(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet']);
const withTemplate = new Set([...workloads, 'Job']);

/** What the API server would refuse with 422 and that people and templates get wrong. Not all that it checks. */
export function faultsOf(object: KubeObject, before?: KubeObject): FieldFault[] {
  return [
    ...nameFaults(object),
    ...(before === undefined ? [] : identityFaults(object, before)),
    ...(workloads.has(object.kind) ? selectorFaults(object) : []),
    ...(withTemplate.has(object.kind)
      ? podFaults(objectAt(object, 'spec', 'template', 'spec'), 'spec.template.spec')
      : []),
    ...(object.kind === 'Pod' ? podFaults(objectAt(object, 'spec'), 'spec') : []),
    ...(object.kind === 'Service' ? serviceFaults(object) : []),
    ...(object.kind === 'Job' ? jobFaults(object) : []),
    ...(before === undefined ? [] : immutableFaults(object, before)),
  ];
}

function nameFaults(object: KubeObject): FieldFault[] {
  const { name } = object.metadata;
  const quoted = JSON.stringify(name);
  // Roles and their bindings may hold any path segment: `system:node`.
  if (object.apiVersion.startsWith('rbac.')) return [];
  const isLabel = object.kind === 'Namespace' || object.kind === 'Service';
  const longest = isLabel ? 63 : 253;
  if (name.length > longest) {
    return [
      { field: 'metadata.name', message: `Invalid value: ${quoted}: must be no more than ${longest} characters` },
    ];
  }
  if (isLabel && name.includes('.')) {
    return [{ field: 'metadata.name', message: `Invalid value: ${quoted}: must not contain dots` }];
  }
  const part = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
  const pattern = isLabel ? new RegExp(`^${part}$`) : new RegExp(`^${part}(\\.${part})*$`);
  if (pattern.test(name)) return [];
  return [{ field: 'metadata.name', message: `Invalid value: ${quoted}: ${isLabel ? label : subdomain}` }];
}

function identityFaults(object: KubeObject, before: KubeObject): FieldFault[] {
  if (object.metadata.uid === before.metadata.uid) return [];
  const message = `Invalid value: ${JSON.stringify(object.metadata.uid)}: field is immutable`;
  return [{ field: 'metadata.uid', message }];
}

function selectorFaults(object: KubeObject): FieldFault[] {
  const faults: FieldFault[] = [];
  const selector = at(object, 'spec', 'selector');
  if (selector === undefined) faults.push({ field: 'spec.selector', message: 'Required value' });
  const labels = labelsAt(object, 'spec', 'template', 'metadata', 'labels');
  if (!workloadSelector(selector)(labels)) {
    const shown = Object.keys(labels).length === 0 ? 'null' : JSON.stringify(labels);
    const message = `Invalid value: ${shown}: \`selector\` does not match template \`labels\``;
    faults.push({ field: 'spec.template.metadata.labels', message });
  }
  return faults;
}

function podFaults(spec: Record<string, unknown>, path: string): FieldFault[] {
  const faults: FieldFault[] = [];
  const containers = listAt(spec, 'containers');
  if (containers.length === 0) faults.push({ field: `${path}.containers`, message: 'Required value' });
  const seen = new Set<unknown>();
  containers.forEach((container, i) => {
    const field = `${path}.containers[${i}]`;
    if (!container.name) faults.push({ field: `${field}.name`, message: 'Required value' });
    if (seen.has(container.name)) {
      faults.push({ field: `${field}.name`, message: `Duplicate value: ${JSON.stringify(container.name)}` });
    }
    seen.add(container.name);
    if (!container.image) faults.push({ field: `${field}.image`, message: 'Required value' });
  });
  return faults;
}

function serviceFaults(object: KubeObject): FieldFault[] {
  const spec = objectAt(object, 'spec');
  if (spec.type === 'ExternalName' || spec.clusterIP === 'None') return [];
  const ports = listAt(spec, 'ports');
  if (ports.length === 0) return [{ field: 'spec.ports', message: 'Required value' }];
  return ports.flatMap((port, i) => {
    const unnamed = ports.length > 1 && port.name === undefined;
    return unnamed ? [{ field: `spec.ports[${i}].name`, message: 'Required value' }] : [];
  });
}

function jobFaults(object: KubeObject): FieldFault[] {
  const field = 'spec.template.spec.restartPolicy';
  const policy = textAt(object, ...field.split('.'));
  if (policy === 'OnFailure' || policy === 'Never') return [];
  if (policy === undefined) return [{ field, message: 'Required value: valid values: "OnFailure", "Never"' }];
  return [{ field, message: `Unsupported value: "${policy}": supported values: "OnFailure", "Never"` }];
}

/** Fields that a kind never lets go once it is written. */
const immutable: Record<string, readonly string[]> = {
  Deployment: ['spec.selector'],
  ReplicaSet: ['spec.selector'],
  DaemonSet: ['spec.selector'],
  Job: ['spec.selector', 'spec.template', 'spec.completionMode'],
  Secret: ['type'],
  Service: ['spec.clusterIP'],
  PersistentVolumeClaim: ['spec.accessModes', 'spec.storageClassName', 'spec.volumeName'],
  RoleBinding: ['roleRef'],
  ClusterRoleBinding: ['roleRef'],
};

/** What may change in a StatefulSet's spec; all else is refused. */
const statefulSetMutable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

function immutableFaults(object: KubeObject, before: KubeObject): FieldFault[] {
  if (object.kind === 'StatefulSet') return statefulSetFaults(object, before);
  if ((object.kind === 'ConfigMap' || object.kind === 'Secret') && before.immutable === true) {
    const same = equal(object.data, before.data) && object.immutable === true;
    return same ? [] : [{ field: 'data', message: 'Forbidden: field is immutable when `immutable` is set' }];
  }
  return (immutable[object.kind] ?? []).flatMap((field) => {
    const path = field.split('.');
    const [now, then] = [at(object, ...path), at(before, ...path)];
    // What was not set yet, such as a claim's volume, may be set once.
    if (then === undefined || equal(now, then)) return [];
    return [{ field, message: `Invalid value: ${JSON.stringify(now ?? null)}: field is immutable` }];
  });
}

function statefulSetFaults(object: KubeObject, before: KubeObject): FieldFault[] {
  const strip = (spec: unknown) => {
    const kept = isObject(spec) ? Object.entries(spec).filter(([key]) => !statefulSetMutable.includes(key)) : [];
    return Object.fromEntries(kept);
  };
  if (equal(strip(object.spec), strip(before.spec))) return [];
  const list = statefulSetMutable.map((field) => `'${field}'`);
  const allowed = `${list.slice(0, -1).join(', ')} and ${list.at(-1)}`;
  return [
    { field: 'spec', message: `Forbidden: updates to statefulset spec for fields other than ${allowed} are forbidden` },
  ];
}
