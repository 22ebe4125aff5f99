import { expect, test } from 'vitest';
import { eventData } from '../../../src/agent/link/hints.js';
import { createManagerClient } from '../../../src/agent/link/manager-client.js';
import { eventually } from '../support/eventually.js';
import { startFakeManager } from '../support/fake-manager.js';

async function dataOf(...chunks: string[]): Promise<string[]> {
  async function* body() {
    for (const chunk of chunks) yield new TextEncoder().encode(chunk);
  }
  const found: string[] = [];
  for await (const data of eventData(body())) found.push(data);
  return found;
}

test('events are read however they are cut', async () => {
  const whole = ': comment\n\nevent: head\ndata: {"a":1}\n\ndata: one\ndata: two\r\n\r\nid: 3\n\n';
  const expected = ['{"a":1}', 'one\ntwo'];
  expect(await dataOf(whole)).toEqual(expected);
  for (let cut = 1; cut < whole.length; cut += 1) {
    expect(await dataOf(whole.slice(0, cut), whole.slice(cut)), `cut at ${cut}`).toEqual(expected);
  }
});

test('hints come again after the manager was away', async () => {
  const manager = await startFakeManager();
  const client = createManagerClient({ url: manager.url, token: manager.token });
  const control = new AbortController();
  const heads: (string | null)[] = [];
  const following = client.followHints((head) => heads.push(head), control.signal);
  await eventually('the first', () => heads.length === 1);
  manager.hint('one');
  await eventually('the hint', () => heads.includes('one'));
  manager.setAway(true);
  manager.setAway(false);
  await eventually('connected again', () => heads.filter((head) => head === null).length === 2);
  control.abort();
  await following;
  await client.close();
  await manager.close();
});

test('the token goes nowhere without TLS but to this machine', () => {
  expect(() => createManagerClient({ url: 'http://mayfly.example.com', token: 't' })).toThrow(
    expect.objectContaining({ code: 'manager-address' }),
  );
  expect(() => createManagerClient({ url: 'https://user@mayfly.example.com', token: 't' })).toThrow('https');
});

test('a wrong token is told apart from a manager that is away', async () => {
  const manager = await startFakeManager();
  const client = createManagerClient({ url: manager.url, token: 'wrong' });
  const { signal } = new AbortController();
  await expect(client.explain([{ slug: 'a', incarnation: 1 }], signal)).rejects.toMatchObject({
    code: 'manager-unauthorized',
  });
  manager.setAway(true);
  await expect(client.observe([], signal)).rejects.toMatchObject({ code: 'manager-unreachable', disposition: 'retry' });
  await client.close();
  await manager.close();
});
