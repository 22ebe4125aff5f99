import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { configSchemas, keyReference, keyTable } from '../../src/config/reference.js';

const page = 'docs/configuration.md';

function replaceTable(text: string, name: string, table: string): string {
  const [begin, end] = [`<!-- keys of ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no place for the keys of ${name}`);
  return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`;
}

// Run with -u to write the tables anew.
it('docs/configuration.md has every key of both files, as the schemas have them', async () => {
  const { manager, agent } = configSchemas();
  const text = await readFile(page, 'utf8');
  const current = replaceTable(replaceTable(text, 'mayfly.yaml', keyTable(manager)), 'agent.yaml', keyTable(agent));
  await expect(current).toMatchFileSnapshot(`../../${page}`);
});

it('every key is described', () => {
  const { manager, agent } = configSchemas();
  const keys = [...keyReference(manager), ...keyReference(agent)];
  expect(keys.length).toBeGreaterThan(60);
  expect(keys.filter((each) => each.description === '')).toEqual([]);
});
