import type { HookPolicy } from '../inventory.js';
import type { Manifest } from '../manifest.js';

type Phase = 'PreSync' | 'Sync' | 'PostSync';

/** What makes an object a hook: it is made once a revision, at its time, and is not kept in step. */
export interface HookSpec {
  /** Empty: it is never run. */
  phases: Phase[];
  policies: HookPolicy[];
  /** What is asked for by a name that means nothing here, each as written. */
  unsupported: string[];
}

/** Of an annotation, and of what it names: there are not so many phases and policies. */
const maxText = 1_024;
const maxNames = 20;

const hookAnnotation = 'argocd.argoproj.io/hook';
const policyAnnotation = 'argocd.argoproj.io/hook-delete-policy';
const helmHook = 'helm.sh/hook';
const helmPolicyAnnotation = 'helm.sh/hook-delete-policy';

const phases: Readonly<Record<string, Phase>> = { PreSync: 'PreSync', Sync: 'Sync', PostSync: 'PostSync' };
/** As Argo CD takes them: an installation and an upgrade are both a sync. */
const helmPhases: Readonly<Record<string, Phase>> = {
  'pre-install': 'PreSync',
  'pre-upgrade': 'PreSync',
  'post-install': 'PostSync',
  'post-upgrade': 'PostSync',
};
const policies: Readonly<Record<string, HookPolicy>> = {
  BeforeHookCreation: 'BeforeHookCreation',
  HookSucceeded: 'HookSucceeded',
  HookFailed: 'HookFailed',
};
const helmPolicies: Readonly<Record<string, HookPolicy>> = {
  'before-hook-creation': 'BeforeHookCreation',
  'hook-succeeded': 'HookSucceeded',
  'hook-failed': 'HookFailed',
};

/** Reads the annotations of Argo CD, and of Helm where there are none of Argo CD's; null for what is no hook. */
export function readHook(manifest: Manifest): HookSpec | null {
  const { annotations = {} } = manifest.metadata;
  const own = listOf(annotations[hookAnnotation]);
  const helm = listOf(annotations[helmHook]).filter((name) => name !== 'crd-install');
  if (own.length === 0 && helm.length === 0) return null;
  const [named, table] = own.length > 0 ? ([own, phases] as const) : ([helm, helmPhases] as const);
  const found = taken(named, table);
  const skipped = own.length === 1 && own[0] === 'Skip';
  const deletion = policiesOf(annotations);
  return {
    phases: skipped ? [] : [...new Set(found.known)],
    policies: deletion.known.length === 0 ? ['BeforeHookCreation'] : deletion.known,
    unsupported: [
      ...(skipped ? [] : found.unknown.map((name) => `${own.length > 0 ? hookAnnotation : helmHook}: ${name}`)),
      ...deletion.unknown,
    ],
  };
}

function policiesOf(annotations: Readonly<Record<string, string>>): { known: HookPolicy[]; unknown: string[] } {
  const own = taken(listOf(annotations[policyAnnotation]), policies);
  const helm = taken(listOf(annotations[helmPolicyAnnotation]), helmPolicies);
  return {
    known: [...new Set([...own.known, ...helm.known])],
    unknown: [
      ...own.unknown.map((name) => `${policyAnnotation}: ${name}`),
      ...helm.unknown.map((name) => `${helmPolicyAnnotation}: ${name}`),
    ],
  };
}

function taken<T>(names: readonly string[], table: Readonly<Record<string, T>>): { known: T[]; unknown: string[] } {
  const known: T[] = [];
  const unknown: string[] = [];
  for (const name of names) {
    const value = Object.hasOwn(table, name) ? table[name] : undefined;
    if (value === undefined) unknown.push(name);
    else known.push(value);
  }
  return { known, unknown };
}

function listOf(written: string | undefined): string[] {
  const names = (written ?? '').slice(0, maxText).split(',');
  return [...new Set(names.map((name) => name.trim()))].filter((name) => name !== '').slice(0, maxNames);
}
