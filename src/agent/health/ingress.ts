import { fields, type Manifest, records } from '../manifest.js';
import { type Health, healthy, progressing } from './health.js';

/** An Ingress is healthy when its controller has given it an address. */
export function ingressHealth(ingress: Manifest): Health {
  const addresses = records(fields(fields(ingress.status).loadBalancer).ingress);
  return addresses.length > 0 ? healthy() : progressing();
}
