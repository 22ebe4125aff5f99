import { expect, test } from 'vitest';
import { compareStages, inStages, keptStage, type StageInput, stageOf, waveOf } from '../../../src/agent/plan/stage.js';

function item(name: string, input: Partial<StageInput>) {
  return { name, stage: stageOf({ phase: 'Sync', wave: 0, childWave: null, ...input }) };
}

test('phase first, then wave; a child’s phases lie within its own wave', () => {
  const items = [
    item('after', { phase: 'PostSync', wave: -5 }),
    item('child, after', { phase: 'PostSync', childWave: 1 }),
    item('child', { childWave: 1 }),
    item('child, before', { phase: 'PreSync', wave: 9, childWave: 1 }),
    item('late', { wave: 1 }),
    item('later', { wave: 2 }),
    item('plain', {}),
    item('plain child', { childWave: 0 }),
    item('early', { wave: -1 }),
    item('before', { phase: 'PreSync', wave: 3 }),
  ];
  expect(inStages(items).map((stage) => stage.map(({ name }) => name))).toEqual([
    ['before'],
    ['early'],
    ['plain', 'plain child'],
    ['child, before'],
    ['child', 'late'],
    ['child, after'],
    ['later'],
    ['after'],
  ]);
});

test('what is kept in the inventory says nothing of the plain stage', () => {
  expect(keptStage(item('', {}).stage)).toBeUndefined();
  const late = keptStage(item('', { wave: 3 }).stage);
  expect(compareStages(undefined, late)).toBeLessThan(0);
  expect(compareStages(late, undefined)).toBeGreaterThan(0);
  expect(compareStages(undefined, undefined)).toBe(0);
});

test.each<[Record<string, string>, number | null]>([
  [{}, 0],
  [{ 'argocd.argoproj.io/sync-wave': '-7' }, -7],
  [{ 'argocd.argoproj.io/sync-wave': ' +5 ' }, 5],
  [{ 'helm.sh/hook-weight': '3' }, 3],
  [{ 'argocd.argoproj.io/sync-wave': '1', 'helm.sh/hook-weight': '3' }, 1],
  [{ 'argocd.argoproj.io/sync-wave': 'first' }, null],
  [{ 'argocd.argoproj.io/sync-wave': '1.5' }, null],
  [{ 'argocd.argoproj.io/sync-wave': '99999999999' }, null],
])('the wave of %j is %s', (annotations, wave) => {
  expect(waveOf(annotations)).toBe(wave);
});
