import { fields, type Manifest, records } from '../manifest.js';
import { type Health, healthy, progressing } from './health.js';

/** A Service is healthy when it exists; one of type LoadBalancer, when it has got an address. */
export function serviceHealth(service: Manifest): Health {
  if (fields(service.spec).type !== 'LoadBalancer') return healthy();
  const addresses = records(fields(fields(service.status).loadBalancer).ingress);
  return addresses.length > 0 ? healthy() : progressing();
}
