import { type KubeObject, listAt, numberAt, objectAt, textAt, timestamp } from '../object.js';
import { selectorText } from '../selectors.js';
import { age } from './age.js';
import type { TableSpec } from './spec.js';
import { containerCells } from './workloads.js';

export const batchTables: Record<string, TableSpec> = {
  'jobs.batch': {
    columns: ['Name', 'Status', 'Completions', 'Duration', 'Age', '*Containers', '*Images', '*Selector'],
    cells: (job) => [
      job.metadata.name,
      jobStatus(job),
      completions(job),
      jobDuration(job),
      age(job.metadata.creationTimestamp),
      ...containerCells(objectAt(job, 'spec', 'template')),
      selectorText(objectAt(job, 'spec', 'selector')),
    ],
  },
  'cronjobs.batch': {
    columns: [
      ...['Name', 'Schedule', 'Timezone', 'Suspend|boolean', 'Active|integer', 'Last Schedule', 'Age'],
      ...['*Containers', '*Images', '*Selector'],
    ],
    cells: (job) => [
      job.metadata.name,
      textAt(job, 'spec', 'schedule') ?? '',
      textAt(job, 'spec', 'timeZone') ?? '<none>',
      job.spec?.suspend === true ? 'True' : 'False',
      listAt(job, 'status', 'active').length,
      '<none>',
      age(job.metadata.creationTimestamp),
      ...containerCells(objectAt(job, 'spec', 'jobTemplate', 'spec', 'template')),
      '<none>',
    ],
  },
};

function jobStatus(job: KubeObject): string {
  const is = (type: string) => listAt(job, 'status', 'conditions').some((c) => c.type === type && c.status === 'True');
  if (is('Complete')) return 'Complete';
  if (is('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (is('Suspended')) return 'Suspended';
  if (is('FailureTarget')) return 'FailureTarget';
  return is('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function completions(job: KubeObject): string {
  const done = numberAt(job, 'status', 'succeeded') ?? 0;
  const wished = numberAt(job, 'spec', 'completions');
  const parallelism = numberAt(job, 'spec', 'parallelism') ?? 0;
  if (wished !== undefined) return `${done}/${wished}`;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function jobDuration(job: KubeObject): string {
  const start = textAt(job, 'status', 'startTime');
  return start === undefined ? '' : age(start, textAt(job, 'status', 'completionTime') ?? timestamp());
}
