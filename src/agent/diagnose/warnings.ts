import { displayName, fields, type Manifest, text } from '../manifest.js';

/** An event of the cluster, as far as a diagnosis needs it. */
export interface Warning {
  /** The object that it speaks of. */
  kind: string;
  name: string;
  reason: string;
  message: string;
  /** When it was seen last, RFC 3339; empty: unknown. */
  at: string;
  /** How often it was seen. */
  times: number;
}

/** Events in the order of time, oldest first. */
export function readWarnings(events: readonly Manifest[]): Warning[] {
  return events
    .map((event) => {
      const involved = fields(event.involvedObject);
      const series = fields(event.series);
      const times = [event.count, series.count].find((each) => typeof each === 'number' && each > 0);
      return {
        kind: text(involved.kind),
        name: text(involved.name),
        reason: text(event.reason),
        message: text(event.message),
        at:
          text(series.lastObservedTime) ||
          text(event.lastTimestamp) ||
          text(event.eventTime) ||
          text(event.metadata.creationTimestamp),
        times: typeof times === 'number' ? times : 1,
      };
    })
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** The newest warning about an object, of these reasons where any are given. */
export function newestOf(
  warnings: readonly Warning[],
  object: { kind: string; name: string },
  reasons?: ReadonlySet<string>,
): Warning | null {
  const found = warnings.findLast(
    ({ kind, name, reason }) => kind === object.kind && name === object.name && reasons?.has(reason) !== false,
  );
  return found ?? null;
}

/** One line for people, not yet redacted. */
export function warningLine(warning: Warning): string {
  const repeated = warning.times > 1 ? ` (${warning.times} times)` : '';
  return `${warning.reason} ${displayName(warning)}: ${warning.message}${repeated}`;
}
