import { type KubeObject, labelsAt, listAt, numberAt, objectAt } from '../object.js';
import { labelMapText, selectorText } from '../selectors.js';
import { age } from './age.js';
import type { TableSpec } from './spec.js';

const count = (object: KubeObject, ...path: string[]) => numberAt(object, ...path) ?? 0;
const wished = (object: KubeObject) => count(object, 'spec', 'replicas');

/** Names and images of a template's containers, as the wide columns show them. */
export function containerCells(template: unknown): [names: string, images: string] {
  const containers = listAt(template, 'spec', 'containers');
  const join = (field: string) => containers.map((container) => String(container[field] ?? '')).join(',');
  return [join('name'), join('image')];
}

const templateOf = (object: KubeObject) => objectAt(object, 'spec', 'template');
const selectorOf = (object: KubeObject) => selectorText(objectAt(object, 'spec', 'selector'));
const created = (object: KubeObject) => age(object.metadata.creationTimestamp);

export const workloadTables: Record<string, TableSpec> = {
  'deployments.apps': {
    columns: ['Name', 'Ready', 'Up-to-date', 'Available', 'Age', '*Containers', '*Images', '*Selector'],
    cells: (object) => [
      object.metadata.name,
      `${count(object, 'status', 'readyReplicas')}/${wished(object)}`,
      count(object, 'status', 'updatedReplicas'),
      count(object, 'status', 'availableReplicas'),
      created(object),
      ...containerCells(templateOf(object)),
      selectorOf(object),
    ],
  },
  'replicasets.apps': {
    columns: [
      ...['Name', 'Desired|integer', 'Current|integer', 'Ready|integer', 'Age'],
      ...['*Containers', '*Images', '*Selector'],
    ],
    cells: (object) => [
      object.metadata.name,
      wished(object),
      count(object, 'status', 'replicas'),
      count(object, 'status', 'readyReplicas'),
      created(object),
      ...containerCells(templateOf(object)),
      selectorOf(object),
    ],
  },
  'statefulsets.apps': {
    columns: ['Name', 'Ready', 'Age', '*Containers', '*Images'],
    cells: (object) => [
      object.metadata.name,
      `${count(object, 'status', 'readyReplicas')}/${wished(object)}`,
      created(object),
      ...containerCells(templateOf(object)),
    ],
  },
  'daemonsets.apps': {
    columns: [
      ...['Name', 'Desired|integer', 'Current|integer', 'Ready|integer', 'Up-to-date|integer', 'Available|integer'],
      ...['Node Selector', 'Age', '*Containers', '*Images', '*Selector'],
    ],
    cells: (object) => [
      object.metadata.name,
      count(object, 'status', 'desiredNumberScheduled'),
      count(object, 'status', 'currentNumberScheduled'),
      count(object, 'status', 'numberReady'),
      count(object, 'status', 'updatedNumberScheduled'),
      count(object, 'status', 'numberAvailable'),
      labelMapText(labelsAt(object, 'spec', 'template', 'spec', 'nodeSelector')),
      created(object),
      ...containerCells(templateOf(object)),
      selectorOf(object),
    ],
  },
  'controllerrevisions.apps': {
    columns: ['Name', 'Controller', 'Revision', 'Age'],
    cells: (object) => {
      const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
      const controller = owner === undefined ? '<none>' : `${owner.kind.toLowerCase()}.apps/${owner.name}`;
      return [object.metadata.name, controller, object.revision ?? 0, created(object)];
    },
  },
};
