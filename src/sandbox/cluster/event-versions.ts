import type { Kind } from './kind.js';
import type { KubeObject } from './object.js';

/** v1 field → events.k8s.io/v1 field; both versions show the same stored events. */
const renamed = {
  involvedObject: 'regarding',
  message: 'note',
  reportingComponent: 'reportingController',
  count: 'deprecatedCount',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  source: 'deprecatedSource',
} as const;

const fromNew = new Map<string, string>(Object.entries(renamed).map(([old, fresh]) => [fresh, old]));
const toNew = new Map<string, string>(Object.entries(renamed));

/** A stored object as a kind's version shows it. */
export function present(kind: Kind, object: KubeObject): KubeObject {
  return kind.apiVersion === object.apiVersion ? object : rename(object, toNew, kind.apiVersion);
}

/** An object of any served version as it is stored. */
export function toStored(kind: Kind, object: KubeObject): KubeObject {
  return kind.group === 'events.k8s.io' ? rename(object, fromNew, 'v1') : object;
}

function rename(object: KubeObject, names: Map<string, string>, apiVersion: string): KubeObject {
  const entries = Object.entries(object).map(([key, value]) => [names.get(key) ?? key, value]);
  return { ...(Object.fromEntries(entries) as KubeObject), apiVersion };
}
