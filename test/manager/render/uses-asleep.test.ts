import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { asleepExample } from '../../../src/manager/operate/check-sleep.js';
import { compileTemplate } from '../../../src/manager/render/compile-template.js';

function usesAsleep(text: string): boolean {
  return compileTemplate('t', text, false).usesAsleep;
}

describe('whether a template says what asleep means', () => {
  it.each([
    '{{#if asleep}}\nreplicas: 0\n{{/if}}',
    '{{#unless asleep}}\nreplicas: 1\n{{/unless}}',
    'hibernate: {{json asleep}}',
    'hibernate: {{json (default asleep false)}}',
    '{{#if draft}}\n{{else}}\na: {{json asleep}}\n{{/if}}'.replace('draft', 'mr.draft'),
    'a:\n  {{#each mr.labels}}\n  - {{json @root.asleep}}\n  {{/each}}\n',
    'a:\n  {{#each mr.labels}}\n  - {{json ../asleep}}\n  {{/each}}\n',
    'a:\n  {{#each mr.labels}}\n  - x\n  {{else}}\n  - {{json asleep}}\n  {{/each}}\n',
    asleepExample,
  ])('is so with %j', (text) => {
    expect(usesAsleep(text)).toBe(true);
  });

  it.each([
    'replicas: 1',
    '# {{! asleep }}\nasleep: no',
    'text: asleep',
    'a: {{json values.asleep}}',
    'a:\n  {{#each values.databases}}\n  - {{json asleep}}\n  {{/each}}\n',
    '{{#with values.database}}\nhibernate: {{json this.asleep}}\n{{/with}}',
  ])('is not so with %j', (text) => {
    expect(usesAsleep(text)).toBe(false);
  });

  it('is not so of the built-in template, and the example that people are told does what it says', async () => {
    const builtIn = await readFile(new URL('../../../templates/application.yml.hbs', import.meta.url), 'utf8');
    expect(compileTemplate('application', builtIn, true).usesAsleep).toBe(false);
    const example = compileTemplate('example', asleepExample, false);
    expect([true, false].map((asleep) => example.render({ asleep }))).toEqual(['replicaCount: 0', 'replicaCount: 1']);
  });
});
