import { expect, test } from 'vitest';
import { asOne } from '../../src/manager/as-one.js';
import { until } from '../support/until.js';

test('calls during a run make one more run, and a run that fails ends nothing', async () => {
  const runs: (() => void)[] = [];
  const errors: unknown[] = [];
  const wake = asOne(
    () =>
      new Promise<void>((resolve, reject) => runs.push(runs.length === 1 ? () => reject(new Error('lost')) : resolve)),
    1,
    (error) => errors.push(error),
  );
  wake();
  expect(runs).toHaveLength(1);
  for (let i = 0; i < 5; i += 1) wake();
  expect(runs).toHaveLength(1);
  runs[0]?.();
  await until('the second run', () => runs.length === 2);
  wake();
  runs[1]?.();
  await until('the third run', () => runs.length === 3);
  expect(errors).toEqual([new Error('lost')]);
  runs[2]?.();
});
