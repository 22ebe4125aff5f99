import type { ClusterReader } from '../../../src/agent/diagnose/cluster-reader.js';
import type { Manifest } from '../../../src/agent/manifest.js';
import { AppError } from '../../../src/error/app-error.js';
import type { ObservedObject } from '../../../src/protocol/observations.js';

/** What a namespace of the test holds. */
export interface Contents {
  objects?: Manifest[];
  /** By `pod/container` and `pod/container/previous`. */
  logs?: Record<string, string>;
  /** Kinds that the agent may not list. */
  forbidden?: string[];
}

export type FakeReader = ClusterReader & {
  /** Kinds that were listed, in order. */
  listed: string[];
};

/** A cluster of these objects. Field selectors of events work as the API server has them. */
export function fakeReader({ objects = [], logs = {}, forbidden = [] }: Contents): FakeReader {
  const listed: string[] = [];
  return {
    listed,
    async list({ kind, fieldSelector = '' }) {
      listed.push(kind);
      if (forbidden.includes(kind)) {
        throw new AppError({ code: 'kube-forbidden', disposition: 'stall', publicMessage: 'no' });
      }
      const wanted = fieldSelector === '' ? [] : fieldSelector.split(',').map((each) => each.split('='));
      return objects.filter(
        (object) => object.kind === kind && wanted.every(([path = '', value]) => read(object, path) === value),
      );
    },
    async find({ kind, name }) {
      return objects.find((object) => object.kind === kind && object.metadata.name === name) ?? null;
    },
    async readLog({ pod, container, previous }) {
      return logs[`${pod}/${container}${previous ? '/previous' : ''}`] ?? '';
    },
  };
}

function read(object: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], object);
}

export function pod(name: string, status: Record<string, unknown>, more: Partial<Manifest> = {}): Manifest {
  return { apiVersion: 'v1', kind: 'Pod', status, ...more, metadata: { name, ...more.metadata } };
}

/** A pod of a Deployment. */
export function podOf(deployment: string, status: Record<string, unknown>, more: Partial<Manifest> = {}): Manifest {
  const metadata = {
    name: `${deployment}-5d9c-x`,
    labels: { 'pod-template-hash': '5d9c' },
    ownerReferences: [{ kind: 'ReplicaSet', name: `${deployment}-5d9c`, controller: true }],
  };
  return pod(metadata.name, status, { ...more, metadata: { ...metadata, ...more.metadata } });
}

export function event(about: string, reason: string, message: string, more: Record<string, unknown> = {}): Manifest {
  const [kind = '', name = ''] = about.split('/');
  const at = '2026-01-01T00:00:00Z';
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.1` },
    involvedObject: { kind, name },
    type: 'Warning',
    reason,
    message,
    lastTimestamp: at,
    ...more,
  };
}

export function secret(name: string, values: Record<string, string>, type = 'Opaque'): Manifest {
  const data = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, type, data };
}

export function unwell(about: string, more: Partial<ObservedObject> = {}): ObservedObject {
  const [kind = '', name = ''] = about.split('/');
  const group = { Deployment: 'apps', StatefulSet: 'apps', Job: 'batch', Ingress: 'networking.k8s.io' }[kind] ?? '';
  return { group, kind, name, health: 'Progressing', message: null, ...more };
}

/** A container that runs and is ready. */
export const fine = { name: 'app', ready: true, state: { running: {} } };

export function waiting(reason: string, message = '', more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: 'app', ready: false, restartCount: 0, state: { waiting: { reason, message } }, ...more };
}
