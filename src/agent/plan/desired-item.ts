import { createHash } from 'node:crypto';
import { canonicalJson } from '../../application/canonical-json.js';
import type { HookPolicy } from '../inventory.js';
import type { Manifest } from '../manifest.js';
import type { IgnoreRule } from './ignore-differences.js';
import type { HookPhase, Stage } from './stage.js';
import type { SyncOptions } from './sync-options.js';

/** One object that the preview is to have, or one run of a hook, with all that was asked for it. */
export interface DesiredItem {
  key: string;
  /** As it is applied, marks included. */
  manifest: Manifest;
  /** Fingerprint of the manifest. */
  print: string;
  stage: Stage;
  options: SyncOptions;
  ignore: readonly IgnoreRule[];
  /** null for what is kept in step. */
  hook: HookRun | null;
}

export interface HookRun {
  phase: HookPhase;
  policies: readonly HookPolicy[];
  /** Nothing is run while the preview sleeps; what ran is remembered. */
  idle: boolean;
}

/** Whether the object of a run that ended so is deleted. */
export function isDeletedAfter(hook: HookRun, outcome: 'Succeeded' | 'Failed'): boolean {
  return hook.policies.includes(outcome === 'Succeeded' ? 'HookSucceeded' : 'HookFailed');
}

/** Fingerprint of an object as it is sent. */
export function manifestPrint(manifest: Manifest): string {
  return createHash('sha256').update(canonicalJson(manifest)).digest('base64url').slice(0, 22);
}
