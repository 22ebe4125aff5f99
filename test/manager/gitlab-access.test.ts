import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { watchGitLabAccess } from '../../src/manager/gitlab-access.js';

test('a refused token is noticed once, until GitLab answers again; other refusals are of one request', async () => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) });
  let now = 1_000;
  const access = watchGitLabAccess({ log, clock: () => now });
  const changes: boolean[] = [];
  access.onChange(() => {
    throw new Error('the database is away');
  });
  access.onChange((refused) => {
    changes.push(refused);
  });
  for (const status of [200, 403, 404, 429, 500, 0]) access.observe({ status });
  expect(access.trouble()).toBeNull();
  access.observe({ status: 401 });
  now = 2_000;
  for (const status of [401, 403, 0, 502]) access.observe({ status });
  expect(access.trouble()).toMatchObject({ since: 1_000, text: expect.stringContaining('gitlab.token') });
  access.observe({ status: 201 });
  expect(access.trouble()).toBeNull();
  access.observe({ status: 401 });
  expect(access.trouble()?.since).toBe(2_000);
  await vi.waitFor(() => expect(changes).toEqual([true, false, true]));
  expect(lines.filter((line) => line === 'GitLab refuses the token')).toHaveLength(2);
  expect(lines.filter((line) => line === 'GitLab accepts the token again')).toHaveLength(1);
});
