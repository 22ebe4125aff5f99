import { fields, type Manifest, text } from '../manifest.js';
import { degraded, type Health, healthy, progressing, unknown } from './health.js';

/** A Workflow of Argo Workflows is healthy when it succeeded. */
export function workflowHealth(workflow: Manifest): Health {
  const status = fields(workflow.status);
  const message = text(status.message);
  switch (text(status.phase)) {
    case '':
    case 'Pending':
    case 'Running':
      return progressing(message);
    case 'Succeeded':
      return healthy(message);
    case 'Failed':
    case 'Error':
      return degraded(message);
    default:
      return unknown(message);
  }
}
