import { expect, test } from 'vitest';
import { createSecretSources } from '../../../src/agent/furnish/secret-sources.js';

const never = new AbortController().signal;

test('secrets that cannot be listed hold nobody up for ever, and are told with their namespace', async () => {
  const watchSecrets = () => new Promise<void>(() => undefined);
  const sources = createSecretSources({ watchSecrets, onChange: () => undefined }, 'shared', never, 10);
  await expect(sources.synced(never)).rejects.toMatchObject({
    code: 'secrets-unseen',
    disposition: 'retry',
    publicMessage: expect.stringContaining('namespace shared'),
  });
  await expect(sources.synced(AbortSignal.abort(new Error('superseded')))).rejects.toThrow('superseded');
});

test('what is listed late is known at the next call', async () => {
  let list: () => void = () => undefined;
  const sources = createSecretSources(
    {
      watchSecrets: (_, sink) => {
        list = () =>
          sink.replaced([{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: { k: 'dg==' } }]);
        return new Promise<void>(() => undefined);
      },
      onChange: () => undefined,
    },
    'shared',
    never,
    10,
  );
  await expect(sources.synced(never)).rejects.toMatchObject({ code: 'secrets-unseen' });
  list();
  await sources.synced(never);
  expect([sources.print('a') === null, sources.print('b')]).toEqual([false, null]);
});
