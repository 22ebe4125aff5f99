import { Histogram, type Registry } from 'prom-client';

/** Stages of a preview's way, each with its own clock: receive and decide take milliseconds, reconcile minutes. */
export type Stage = 'receive' | 'decide' | 'commit' | 'reconcile' | 'report';

export interface StageTimer {
  /** `durationMs` is what the stage took. */
  observeStage(input: { stage: Stage; durationMs: number }): void;
}

/** From a webhook's millisecond to a deploy that times out after ten minutes. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** The histogram `mayfly_stage_seconds{stage}`. */
export function createStageTimer(registry: Registry): StageTimer {
  const histogram = new Histogram({
    name: 'mayfly_stage_seconds',
    help: 'How long a stage took: receive, decide, commit and report in the manager, reconcile in the agent.',
    labelNames: ['stage'],
    buckets,
    registers: [registry],
  });
  return { observeStage: ({ stage, durationMs }) => histogram.observe({ stage }, durationMs / 1_000) };
}
