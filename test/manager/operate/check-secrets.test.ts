import { expect, it } from 'vitest';
import { secretChecks } from '../../../src/manager/operate/check-secrets.js';

const signal = new AbortController().signal;

it('warns of secrets that authors can read, and louder of those for forks', async () => {
  const [check] = secretChecks({
    path: 'acme/shop',
    secrets: [
      { copy: 'registry-pull', forks: true },
      { copy: 'database', forks: false },
    ],
  });
  expect(check?.name).toBe('secrets of acme/shop');
  expect(await check?.run(signal)).toEqual({
    status: 'warning',
    found: 'Every author of a followed merge request can read registry-pull, database.',
    advice:
      'Whoever may fork the project reads registry-pull as well: take out `forks: true` unless everybody may know it.',
  });
});

it('says nothing where nothing is copied', () => {
  expect(secretChecks({ path: 'acme/shop', secrets: [] })).toEqual([]);
  expect(secretChecks({ path: 'acme/shop' })).toEqual([]);
});
