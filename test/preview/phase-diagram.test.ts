import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { transitions } from '../../src/preview/lifecycle.js';

const page = 'docs/lifecycle.md';
const [begin, end] = ['<!-- phases -->', '<!-- end of phases -->'];

function diagram(): string {
  const arrows = Object.entries(transitions).flatMap(([from, all]) => all.map((to) => `    ${from} --> ${to}`));
  const ends = Object.entries(transitions).flatMap(([phase, all]) =>
    all.length === 0 ? [`    ${phase} --> [*]`] : [],
  );
  return ['```mermaid', 'stateDiagram-v2', '    [*] --> waiting', ...arrows, ...ends, '```'].join('\n');
}

// Run with -u to draw it anew.
it('docs/lifecycle.md draws the phases as the table of transitions has them', async () => {
  const text = await readFile(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no place for the diagram`);
  const current = `${text.slice(0, from + begin.length)}\n\n${diagram()}\n\n${text.slice(to)}`;
  await expect(current).toMatchFileSnapshot(`../../${page}`);
});
