import type { Manifest } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { type Health, progressing } from './health.js';
import { judgedByCondition } from './ready-condition.js';

const issued = judgedByCondition('Ready', 'it has not been issued yet');

/** A cert-manager Certificate is healthy when it is ready, and progressing while it is being issued, also anew. */
export function certificateHealth(certificate: Manifest): Health {
  const issuing = conditionsOf(certificate)?.find(({ type, status }) => type === 'Issuing' && status === 'True');
  return issuing === undefined ? issued(certificate) : progressing(issuing.message);
}
