import type { Application } from '../application/application.js';
import type { Manifest } from './manifest.js';

/** What one Application of a preview yields: the preview's own, or a child that its source declares. */
export interface Bundle {
  /** `metadata.name` of the child Application; null for the preview's own. */
  child: string | null;
  /** Of the Application that the manifests come from: its `syncPolicy`, `ignoreDifferences`, destination. */
  spec: Application['spec'];
  /** `argocd.argoproj.io/sync-wave` of the child Application; 0 where there is none. */
  wave: number;
  /** In the order in which the source yields them, before the fence. */
  manifests: readonly Manifest[];
}
