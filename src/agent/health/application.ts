import { fields, type Manifest, text } from '../manifest.js';
import { type Health, healthInWords, progressing } from './health.js';

/** An Application of Argo CD has the health that Argo CD wrote into its status. */
export function applicationHealth(application: Manifest): Health {
  const { health } = fields(application.status);
  if (typeof health !== 'object' || health === null) return progressing();
  return healthInWords(fields(health).status, text(fields(health).message));
}
