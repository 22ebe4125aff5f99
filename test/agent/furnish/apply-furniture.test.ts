import { expect, test } from 'vitest';
import { furnitureEntries } from '../../../src/agent/furnish/apply-furniture.js';
import type { FurniturePlan } from '../../../src/agent/furnish/plan-furniture.js';
import type { FurnitureEntry } from '../../../src/agent/inventory.js';
import { keyOf } from '../../../src/agent/manifest.js';

function entryOf(name: string): FurnitureEntry {
  const uid = `uid-${name}`;
  return { apiVersion: 'v1', kind: 'Secret', name, uid, generation: null, print: 'p', once: false, want: 'w' };
}

test('what is about to be written is listed so that a crash writes it again, and finds it by its labels', () => {
  const known = ['kept', 'stale', 'superfluous'].map(entryOf);
  const pieces = ['kept', 'stale', 'new'].map((name) => ({
    kind: 'copy' as const,
    key: keyOf(entryOf(name)),
    name,
    want: 'w',
  }));
  const plan: FurniturePlan = { pieces, orphaned: [] };
  const entries = furnitureEntries(plan, pieces.slice(1), known);
  expect(entries.map(({ name, uid, want }) => [name, uid, want])).toEqual([
    ['kept', 'uid-kept', 'w'],
    ['stale', null, ''],
    ['new', null, ''],
    ['superfluous', 'uid-superfluous', 'w'],
  ]);
});
