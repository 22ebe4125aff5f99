import type { Logger } from 'pino';
import { type ObservationMessage, observationSchema } from '../../protocol/observations.js';

type ObservationOutcome = 'stored' | 'known' | 'refused' | 'unknown' | 'invalid';

export interface ObservationsDeps {
  /** Stores what is newer than what is known and has it decided; an outcome for each, in order. */
  storeObservations: (
    cluster: string,
    observations: ObservationMessage[],
  ) => Promise<Exclude<ObservationOutcome, 'invalid'>[]>;
  /** For metrics. */
  observed: (outcome: ObservationOutcome) => void;
  log: Logger;
}

/**
 * Takes a batch of observations. Each is judged for itself: one that is malformed, or that speaks of another
 * cluster's preview, is refused and recorded, and the rest of the batch counts.
 */
export async function takeObservations(
  deps: ObservationsDeps,
  input: { cluster: string; observations: readonly unknown[] },
): Promise<void> {
  const valid: ObservationMessage[] = [];
  for (const each of input.observations) {
    const parsed = observationSchema.safeParse(each);
    if (parsed.success) {
      valid.push(parsed.data);
      continue;
    }
    deps.observed('invalid');
    const issues = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.code}`);
    deps.log.warn({ cluster: input.cluster, issues }, 'observation is malformed');
  }
  const outcomes = await deps.storeObservations(input.cluster, valid);
  for (const [index, outcome] of outcomes.entries()) {
    deps.observed(outcome);
    const observation = valid[index];
    if (outcome !== 'refused' || observation === undefined) continue;
    const { slug, incarnation, state } = observation;
    deps.log.warn({ cluster: input.cluster, slug, incarnation, state }, 'observation of another cluster refused');
  }
}
