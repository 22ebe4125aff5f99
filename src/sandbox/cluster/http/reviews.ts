import type { Kind } from '../kind.js';
import { isObject, objectAt, timestamp } from '../object.js';

/** Answers the reviews of the caller's own rights: the one token may do all. */
export function answerReview(kind: Kind, body: unknown): unknown {
  const base = { kind: kind.kind, apiVersion: kind.apiVersion };
  const metadata = { creationTimestamp: timestamp() };
  if (kind.kind === 'SelfSubjectReview') {
    const userInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };
    return { ...base, metadata, status: { userInfo } };
  }
  const spec = isObject(body) ? objectAt(body, 'spec') : {};
  if (kind.kind === 'SelfSubjectAccessReview') return { ...base, metadata, spec, status: { allowed: true } };
  const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  const status = {
    resourceRules: [all],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    incomplete: false,
  };
  return { ...base, metadata, spec, status };
}
