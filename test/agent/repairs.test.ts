import { expect, test } from 'vitest';
import { createPreviewState } from '../../src/agent/preview-state.js';
import { nextRepairMs } from '../../src/agent/reconcile.js';

test('many objects that change together are one repair', () => {
  const preview = createPreviewState('shop-1');
  for (let index = 0; index < 20; index += 1) expect(nextRepairMs(preview, 1_000)).toBe(1);
  for (const now of [2_000, 3_000, 4_000, 5_000]) expect(nextRepairMs(preview, now)).toBe(1);
});

test('the sixth repair of a minute waits, further changes wait with it, and a quiet minute forgives', () => {
  const preview = createPreviewState('shop-1');
  for (const now of [1_000, 2_000, 3_000, 4_000, 5_000]) expect(nextRepairMs(preview, now)).toBe(1);
  expect(nextRepairMs(preview, 6_000)).toBe(1_000);
  expect(nextRepairMs(preview, 6_400)).toBe(600);
  expect(nextRepairMs(preview, 6_900)).toBe(100);
  expect(nextRepairMs(preview, 7_500)).toBe(2_000);
  expect(nextRepairMs(preview, 100_000)).toBe(1);
});
