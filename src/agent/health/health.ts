import type { ObservedObject } from '../../protocol/observations.js';
import type { Manifest } from '../manifest.js';

/** Argo CD's words. */
export type HealthStatus = ObservedObject['health'];

export interface Health {
  status: HealthStatus;
  /** One sentence, or empty; may be an outsider's text. */
  message: string;
  /** Its own annotation asks that the whole be judged without it. */
  ignored?: true;
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

export function unknown(message = ''): Health {
  return { status: 'Unknown', message };
}

const words: readonly string[] = ['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown'];

/** A word of health that an object's own controller wrote; any other word is Unknown. */
export function healthInWords(word: unknown, message: string): Health {
  return words.includes(String(word))
    ? { status: word as HealthStatus, message }
    : unknown('its status names a health that is none');
}
