import type { Bundle } from './bundle.js';
import { readHook } from './hooks/read-hook.js';
import type { InventoryRemark } from './inventory.js';
import { groupOf, type Manifest, manifestKey } from './manifest.js';
import { type DesiredItem, type HookRun, manifestPrint } from './plan/desired-item.js';
import { type DesiredInput, desiredObjects } from './plan/desired-objects.js';
import { type IgnoreRule, readIgnoreRules, rulesFor } from './plan/ignore-differences.js';
import { isAsleep } from './plan/put-to-sleep.js';
import { type HookPhase, stageOf, waveOf } from './plan/stage.js';
import { applicationOptions, objectOptions, type SyncOptions, unknownKeys } from './plan/sync-options.js';

/** All that a preview is to have, and what it asked for in vain. */
export interface Desired {
  items: DesiredItem[];
  remarks: InventoryRemark[];
}

/** Sentences that are told; they travel, and are kept in the inventory. */
const maxRemarks = 100;

/** What holds for all objects of one Application. */
interface Policy {
  bundle: Bundle;
  options: SyncOptions;
  ignore: readonly IgnoreRule[];
  asleep: boolean;
}

/**
 * The objects of a preview with their place in the order, the options that hold for each, and their runs where they are
 * hooks. Throws `sync-invalid` and `sync-unsupported` for options that cannot be followed.
 */
export function desiredItems(bundles: readonly Bundle[], input: DesiredInput): Desired {
  const items: DesiredItem[] = [];
  const remarks: InventoryRemark[] = [];
  for (const bundle of bundles) {
    const { options, remarks: told } = applicationOptions(bundle.spec.syncPolicy);
    const name = bundle.child ?? input.identity.slug;
    const ofSpec = [...unknownKeys(bundle.spec), ...told];
    remarks.push(...ofSpec.map((message) => ({ group: 'argoproj.io', kind: 'Application', name, message })));
    const ignore = readIgnoreRules(bundle.spec.ignoreDifferences);
    const policy = { bundle, options, ignore, asleep: input.asleep };
    for (const manifest of desiredObjects(bundle.manifests, input)) {
      const found = itemsOf(manifest, policy);
      items.push(...found.items);
      remarks.push(...found.told.map((message) => ({ ...referenceOf(manifest), message })));
    }
  }
  return { items, remarks: remarks.slice(0, maxRemarks) };
}

/** A hook of several phases has an item for each; one that is never run has none. */
function itemsOf(manifest: Manifest, policy: Policy): { items: DesiredItem[]; told: string[] } {
  const hook = readHook(manifest);
  const wave = waveOf(manifest.metadata.annotations);
  const { options, remarks } = objectOptions(manifest, policy.options);
  const runs = hook === null ? [null] : hook.phases.map((phase): HookRun => runOf(phase, hook.policies, policy));
  const print = manifestPrint(manifest);
  return {
    items: runs.map((run) => ({
      key: manifestKey(manifest),
      manifest,
      print,
      stage: stageOf({
        phase: run?.phase ?? 'Sync',
        wave: wave ?? 0,
        childWave: policy.bundle.child === null ? null : policy.bundle.wave,
      }),
      // An autoscaler holds the number of what it scaled: it is taken from it.
      options: isAsleep(manifest) ? { ...options, force: true } : options,
      ignore: rulesFor(manifest, policy.ignore),
      hook: run,
    })),
    told: [
      ...remarks,
      ...(hook?.unsupported ?? []).map(
        (what) => `${what} is not supported${runs.length === 0 ? ': it is never run' : ''}`,
      ),
      ...(wave === null ? ['its sync wave is no whole number; 0 is taken'] : []),
    ],
  };
}

function runOf(phase: HookPhase, policies: HookRun['policies'], { asleep }: Policy): HookRun {
  return { phase, policies, idle: asleep };
}

function referenceOf(manifest: Manifest): Omit<InventoryRemark, 'message'> {
  return { group: groupOf(manifest.apiVersion), kind: manifest.kind, name: manifest.metadata.name };
}
