import { fields, type Manifest } from '../manifest.js';
import { degraded, type Health, healthy, progressing, unknown } from './health.js';

/** A claim is healthy when it is bound to a volume. */
export function persistentVolumeClaimHealth(claim: Manifest): Health {
  switch (fields(claim.status).phase) {
    case 'Bound':
      return healthy();
    case 'Pending':
      return progressing();
    case 'Lost':
      return degraded();
    default:
      return unknown();
  }
}
