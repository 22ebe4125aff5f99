import type { ObservedObject } from '../../protocol/observations.js';

/** How a hook is, by the health of its object, as Argo CD takes it; null: it runs. */
export function hookOutcome(health: ObservedObject['health']): 'Succeeded' | 'Failed' | null {
  switch (health) {
    case 'Healthy':
      return 'Succeeded';
    case 'Degraded':
    case 'Unknown':
      return 'Failed';
    case 'Progressing':
    case 'Suspended':
    case 'Missing':
      return null;
    default:
      return health satisfies never;
  }
}
