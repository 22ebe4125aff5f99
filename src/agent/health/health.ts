import type { ObservedObject } from '../../protocol/observations.js';
import type { Manifest } from '../manifest.js';

/** Argo CD's words. */
export type HealthStatus = ObservedObject['health'];

export interface Health {
  status: HealthStatus;
  /** One sentence, or empty; may be an outsider's text. */
  message: string;
}

/** The rule of one kind. It reads nothing but the object, and never throws on a field that is absent or of another type. */
export type HealthRule = (object: Manifest) => Health;

export function healthy(message = ''): Health {
  return { status: 'Healthy', message };
}

export function progressing(message = ''): Health {
  return { status: 'Progressing', message };
}

export function degraded(message = ''): Health {
  return { status: 'Degraded', message };
}

export function suspended(message = ''): Health {
  return { status: 'Suspended', message };
}
