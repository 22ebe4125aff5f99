import type { Job, JobStatus } from './model.js';

type Consumed = JobStatus | 'success_with_warnings' | 'ignored';

function consume(job: Job): Consumed {
  if (job.allowFailure && (job.status === 'failed' || job.status === 'canceled')) return 'success_with_warnings';
  if (job.allowFailure && job.status === 'manual') return 'ignored';
  return job.status;
}

/** The rules in GitLab's order; the first whose statuses are all that there is wins. */
const onlyOf: { gives: JobStatus; of: Consumed[] }[] = [
  { gives: 'skipped', of: ['skipped', 'ignored'] },
  { gives: 'success', of: ['success', 'skipped', 'success_with_warnings', 'ignored'] },
  { gives: 'created', of: ['created', 'success_with_warnings', 'ignored'] },
  { gives: 'preparing', of: ['preparing', 'success_with_warnings', 'ignored'] },
  { gives: 'canceled', of: ['canceled', 'success', 'skipped', 'success_with_warnings', 'ignored'] },
  { gives: 'pending', of: ['pending', 'created', 'skipped', 'success_with_warnings', 'ignored'] },
];

const anyOf: { gives: JobStatus; of: Consumed[] }[] = [
  { gives: 'running', of: ['running', 'pending'] },
  { gives: 'waiting_for_resource', of: ['waiting_for_resource'] },
  { gives: 'manual', of: ['manual'] },
  { gives: 'scheduled', of: ['scheduled'] },
  { gives: 'preparing', of: ['preparing'] },
  { gives: 'running', of: ['created'] },
];

/**
 * Status of a pipeline (or stage) by its jobs, external ones included, as `Gitlab::Ci::Status::Composite` computes it.
 * Retried jobs do not count; null when there is none.
 */
export function compositeStatus(jobs: Job[]): JobStatus | null {
  const statuses = new Set(jobs.filter((job) => !job.retried).map(consume));
  if (statuses.size === 0) return null;
  for (const rule of onlyOf) {
    if ([...statuses].every((status) => rule.of.includes(status))) return rule.gives;
  }
  for (const rule of anyOf) {
    if (rule.of.some((status) => statuses.has(status))) return rule.gives;
  }
  return 'failed';
}
