import { expect, test } from 'vitest';
import { keepOpened } from '../../src/config/keep-opened.js';
import { loadManagerConfig } from '../../src/config/load-manager-config.js';
import type { ManagerConfig } from '../../src/config/manager-config.js';
import { changedSections } from '../../src/config/watch-reload.js';
import { environment, least, temporaryFile } from './config-files.js';

async function load(): Promise<ManagerConfig> {
  return (await loadManagerConfig({ file: await temporaryFile('mayfly.yaml', least), environment })).config;
}

test('what is opened once stays over any number of reloads, and is told each time', async () => {
  const opened = await load();
  const moved = { ...opened, branch: { ...opened.branch, name: 'elsewhere' }, limits: { previews: 7 } };
  const once = keepOpened(opened, moved);
  expect(once.limits).toEqual({ previews: 7 });
  expect(changedSections(once, moved)).toEqual(['branch']);
  const again = keepOpened(once, { ...moved, limits: { previews: 8 } });
  expect(again.branch).toEqual(opened.branch);
  expect(again.limits).toEqual({ previews: 8 });
});

test('a new token of GitLab waits for the next start, new secrets of webhooks do not', async () => {
  const opened = await load();
  const rotated = { ...opened, gitlab: { ...opened.gitlab, token: 'glpat-next', webhookSecrets: ['next-secret'] } };
  const inForce = keepOpened(opened, rotated);
  expect(inForce.gitlab).toEqual({ ...rotated.gitlab, token: opened.gitlab.token });
  expect(changedSections(inForce, rotated)).toEqual(['gitlab']);
});
