import { randomInt } from 'node:crypto';
import type { Schema } from './admit/schema.js';
import type { KindRegistry } from './kinds.js';
import { textAt } from './object.js';
import type { Store } from './store.js';

/** What every part of the stand-in works on. */
export interface ClusterState {
  kinds: KindRegistry;
  store: Store;
  schema: Schema;
  /** The next free address of a Service, from 10.96.0.0/16. */
  allocateServiceIp(): string;
  /** The next address of a pod, from 10.244.0.0/16. */
  allocatePodIp(): string;
}

export function createClusterState(kinds: KindRegistry, store: Store, schema: Schema): ClusterState {
  const usedBy = (storage: string, ...path: string[]) =>
    store.list(storage).map((object) => addressNumber(textAt(object, ...path) ?? ''));
  let lastService = Math.max(10, ...usedBy('services', 'spec', 'clusterIP'));
  let lastPod = Math.max(1, ...usedBy('pods', 'status', 'podIP'));
  return {
    kinds,
    store,
    schema,
    allocateServiceIp: () => `10.96.${address(++lastService)}`,
    allocatePodIp: () => `10.244.${address(++lastPod)}`,
  };
}

function address(number: number): string {
  return `${(number >> 8) & 255}.${number & 255}`;
}

function addressNumber(ip: string): number {
  const [, , high = '0', low = '0'] = ip.split('.');
  return Number(high) * 256 + Number(low);
}

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A suffix as generated names have it: no vowels, so that it spells nothing. */
export function randomSuffix(length = 5): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** Maps a number to such a suffix, always the same. */
export function suffixOf(number: number): string {
  return [...String(number)].map((digit) => alphabet[Number(digit) + 10] ?? 'x').join('');
}
