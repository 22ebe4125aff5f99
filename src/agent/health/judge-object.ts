import { groupOf, type Manifest } from '../manifest.js';
import { type Health, progressing, unknown } from './health.js';
import { isVersionKnown, ruleFor } from './rules.js';

/** Argo CD holds a hook by this finalizer until its phase is over: it is judged although it is being deleted. */
const hookFinalizer = 'argocd.argoproj.io/hook-finalizer';
const maxMessage = 1_000;
const ignoreAnnotation = 'argocd.argoproj.io/ignore-healthcheck';

/** The health of one object, by Argo CD's rules for its kind, and by kstatus where Argo CD has none. */
export function judgeObject(object: Manifest): Health {
  const health = bounded(healthOf(object));
  return object.metadata.annotations?.[ignoreAnnotation] === 'true' ? { ...health, ignored: true } : health;
}

/** Messages of an object's own controller are kept for every object: a long one is cut. */
function bounded(health: Health): Health {
  return health.message.length <= maxMessage
    ? health
    : { ...health, message: `${health.message.slice(0, maxMessage)}…` };
}

function healthOf(object: Manifest): Health {
  const { deletionTimestamp, finalizers } = object.metadata;
  if (deletionTimestamp !== undefined && finalizers?.includes(hookFinalizer) !== true) {
    return progressing('it is being deleted');
  }
  const groupKind = `${groupOf(object.apiVersion)}/${object.kind}`;
  if (!isVersionKnown(groupKind, object.apiVersion)) {
    return unknown(`${object.apiVersion} is not a version of ${object.kind} that can be judged`);
  }
  return ruleFor(groupKind)(object);
}
