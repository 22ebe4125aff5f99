import type { WorkspaceFile } from './workspace.js';

export interface KustomizeBuild {
  files: readonly WorkspaceFile[];
  /** The kustomization's folder among them; `''` or `.` is the root. */
  directory: string;
  signal: AbortSignal;
}

/** Files only from a kustomization's own folder; neither plugins, nor functions, nor Helm, which are off unless asked for. */
export function kustomizeArguments(directory: string): string[] {
  return ['build', '--load-restrictor=LoadRestrictionsRootOnly', `./${directory}`];
}
