import { z } from 'zod';
import { AppError } from '../../error/app-error.js';
import type { Manifest } from '../manifest.js';

/** What the options of an Application and of an object ask for, as far as Mayfly does it. */
export interface SyncOptions {
  /** What becomes of the object once the file no longer asks for it; `last`: it goes when all else is healthy. */
  prune: 'yes' | 'never' | 'last';
  /** Deleted and made again where the API server forbids the change. */
  replace: boolean;
  /** A kind that the cluster does not serve yet is waited for. */
  skipMissingKind: boolean;
  /** Differences that are ignored are left out of what is applied, too. */
  respectIgnore: boolean;
  /** Fields are taken over from every other manager. */
  force: boolean;
}

export interface ReadOptions {
  options: SyncOptions;
  /** Sentences on what is not done as it was asked for. */
  remarks: string[];
}

const optionsAnnotation = 'argocd.argoproj.io/sync-options';
const helmPolicy = 'helm.sh/resource-policy';
/** Ours: fields of the object are taken over from whoever holds them. */
const forceAnnotation = 'mayfly.dev/force-conflicts';

export const defaultOptions: SyncOptions = {
  prune: 'yes',
  replace: false,
  skipMissingKind: false,
  respectIgnore: false,
  force: false,
};

/** By `Name=value`: what an option changes. Those that change nothing are always so. */
const known: Readonly<Record<string, Partial<SyncOptions>>> = {
  'CreateNamespace=true': {},
  'ServerSideApply=true': {},
  'ApplyOutOfSyncOnly=true': {},
  'PruneLast=true': { prune: 'last' },
  'PruneLast=false': { prune: 'yes' },
  'Prune=false': { prune: 'never' },
  'Prune=true': {},
  'Replace=true': { replace: true },
  'Replace=false': { replace: false },
  'SkipDryRunOnMissingResource=true': { skipMissingKind: true },
  'SkipDryRunOnMissingResource=false': { skipMissingKind: false },
  'RespectIgnoreDifferences=true': { respectIgnore: true },
  'RespectIgnoreDifferences=false': { respectIgnore: false },
};

/** By `Name=value`: what is done instead of what is asked for. */
const otherwise: Readonly<Record<string, { change?: Partial<SyncOptions>; instead: string }>> = {
  'CreateNamespace=false': { instead: 'the namespace of a preview is always made by Mayfly' },
  'ServerSideApply=false': { instead: 'objects are always applied on the server' },
  'ApplyOutOfSyncOnly=false': { instead: 'only what differs is ever written' },
  'Prune=confirm': { change: { prune: 'never' }, instead: 'nobody is asked; the object stays while the preview lives' },
};

const listSchema = z.array(z.string().max(256)).max(50);
/** Of an annotation, and of what it asks for: nobody means more, and each that is not known makes a sentence. */
const maxText = 4_096;
const maxOptions = 50;

/** What beside the options is followed, or says no more than what is always done. */
const knownPolicies: ReadonlySet<string> = new Set(['syncOptions', 'automated', 'retry']);

/** Keys of `spec` that are followed or refused elsewhere, and those that say nothing of what is in the cluster. */
const knownKeys: ReadonlySet<string> = new Set([
  'source',
  'sources',
  'destination',
  'project',
  'syncPolicy',
  'ignoreDifferences',
  'info',
  'revisionHistoryLimit',
]);

/** Sentences on the keys of an Application's `spec` that are not followed. */
export function unknownKeys(spec: Readonly<Record<string, unknown>>): string[] {
  const unknown = Object.keys(spec).filter((key) => !knownKeys.has(key));
  return unknown.slice(0, maxOptions).map((key) => noEffect('spec', key));
}

/** Reads `spec.syncPolicy.syncOptions`. Throws `sync-invalid` (stall) for what is no list of texts. */
export function applicationOptions(syncPolicy: Readonly<Record<string, unknown>> | undefined): ReadOptions {
  const parsed = listSchema.safeParse(syncPolicy?.syncOptions ?? []);
  if (!parsed.success) {
    throw new AppError({
      code: 'sync-invalid',
      disposition: 'stall',
      publicMessage:
        'spec.syncPolicy.syncOptions of the Application is not a list of texts such as PruneLast=true. Correct it.',
    });
  }
  const found = read(parsed.data, defaultOptions, 'syncOptions');
  const others = Object.keys(syncPolicy ?? {}).filter((key) => !knownPolicies.has(key));
  const told = others.slice(0, maxOptions).map((key) => noEffect('syncPolicy', key));
  return { ...found, remarks: [...told, ...found.remarks] };
}

/** The options of one object: those of its Application, and its own annotations over them. */
export function objectOptions(manifest: Manifest, application: SyncOptions): ReadOptions {
  const { annotations } = manifest.metadata;
  const written = (annotations?.[optionsAnnotation] ?? '').slice(0, maxText).split(',');
  const found = read(written, application, optionsAnnotation);
  const keep = annotations?.[helmPolicy] === 'keep';
  const force = annotations?.[forceAnnotation] === 'true';
  return {
    options: { ...found.options, force, ...(keep ? { prune: 'never' } : {}) },
    remarks: found.remarks,
  };
}

/** Whether an object of the cluster asks to stay, by its own annotations. */
export function asksToStay(annotations: Readonly<Record<string, string>> | undefined): boolean {
  const written = (annotations?.[optionsAnnotation] ?? '').split(',').map((option) => option.trim());
  return written.some((option) => option === 'Prune=false' || option === 'Prune=confirm');
}

function read(written: readonly string[], base: SyncOptions, where: string): ReadOptions {
  const options = { ...base };
  const remarks: string[] = [];
  const asked = new Set(written.map((each) => each.trim()).filter((each) => each !== ''));
  for (const option of [...asked].slice(0, maxOptions)) {
    const change = Object.hasOwn(known, option) ? known[option] : undefined;
    const other = Object.hasOwn(otherwise, option) ? otherwise[option] : undefined;
    // Of the two, the one that keeps more holds.
    const merged = { ...change, ...other?.change };
    Object.assign(options, merged, options.prune === 'never' ? { prune: 'never' } : {});
    if (other !== undefined) remarks.push(`${where}: ${option} is not supported: ${other.instead}`);
    else if (change === undefined) remarks.push(noEffect(where, option));
  }
  return { options, remarks };
}

function noEffect(where: string, what: string): string {
  return `${where}: ${what.slice(0, 256)} is not supported and has no effect`;
}
