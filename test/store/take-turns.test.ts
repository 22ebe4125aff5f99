import { expect, test } from 'vitest';
import { takeTurns } from '../../src/store/take-turns.js';

function call(log: string[], name: string) {
  let finish: (error?: Error) => void = () => undefined;
  const work = () =>
    new Promise<string>((resolve, reject) => {
      log.push(name);
      finish = (error) => (error === undefined ? resolve(name) : reject(error));
    });
  return { work, finish: (error?: Error) => finish(error) };
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('no more than so many run at once, the others in the order of arrival, also after a failure', async () => {
  const log: string[] = [];
  const inTurn = takeTurns(() => 2);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => call(log, name));
  const results = [a, b, c, d]
    .map((each) => inTurn(each?.work ?? (() => Promise.resolve(''))))
    .map((p) => p.catch(() => 'failed'));
  await settle();
  expect(log).toEqual(['a', 'b']);
  b?.finish(new Error('its own trouble'));
  await settle();
  expect(log).toEqual(['a', 'b', 'c']);
  a?.finish();
  c?.finish();
  await settle();
  expect(log).toEqual(['a', 'b', 'c', 'd']);
  d?.finish();
  expect(await Promise.all(results)).toEqual(['a', 'failed', 'c', 'd']);
});

test('the number may fall and rise while calls wait', async () => {
  const log: string[] = [];
  let most = 3;
  const inTurn = takeTurns(() => most);
  const calls = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => call(log, name));
  const all = calls.map(({ work }) => inTurn(work));
  await settle();
  expect(log).toEqual(['a', 'b', 'c']);
  most = 1;
  calls[0]?.finish();
  calls[1]?.finish();
  await settle();
  expect(log).toEqual(['a', 'b', 'c']);
  calls[2]?.finish();
  await settle();
  expect(log).toEqual(['a', 'b', 'c', 'd']);
  most = 3;
  calls[3]?.finish();
  await settle();
  expect(log).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  calls[4]?.finish();
  calls[5]?.finish();
  await Promise.all(all);
});
