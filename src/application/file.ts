import { stringify } from 'yaml';
import { type Application, annotation } from './application.js';

/**
 * The Application as the text of its file. Keys keep the order of the template, annotations are sorted, and nothing
 * depends on anything but the value: the same Application always gives the same text.
 */
export function printApplication(application: Application): string {
  const annotations = Object.fromEntries(
    Object.entries(application.metadata.annotations).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
  const sorted = { ...application, metadata: { ...application.metadata, annotations } };
  return stringify(sorted, { lineWidth: 0, aliasDuplicateObjects: false, version: '1.2', schema: 'core' });
}

/** Whether a file is this installation's: its id stands there, and an incarnation. Any other is never touched. */
export function isOurs(application: Application, installationId: string): boolean {
  return annotation(application, 'installation') === installationId && incarnationOf(application) !== null;
}

/** The incarnation that a file is of; null when it names none. */
export function incarnationOf(application: Application): number | null {
  const text = annotation(application, 'incarnation');
  if (text === undefined || !/^[1-9]\d{0,8}$/.test(text)) {
    return null;
  }
  return Number(text);
}
