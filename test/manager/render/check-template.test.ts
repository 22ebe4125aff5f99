import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../src/manager/render/compile-template.js';

function check(text: string): unknown {
  try {
    compileTemplate('t', text, false);
    return 'taken';
  } catch (error) {
    return error;
  }
}

describe('the check of a template', () => {
  it.each([
    'name: {{slug}}',
    'host: {{slug}}.{{branchSlug}}-{{iid}}.example.com/{{sha}}',
    'title: {{quote mr.title}}',
    '"quoted key": {{quote mr.title}}   ',
    '- {{quote mr.title}}',
    '- {{quote @root.mr.title}}',
    'a: {{quote values.anything.at.all}}',
    'a: {{quote members.cart.sha}}',
    'a:\n  {{#each values.hosts}}\n  - {{quote this.name}}\n  {{/each}}\n',
    '  - - name: {{json values}}',
    'a: {{quote (default mr.title "none")}}',
    'a:\n  {{#each mr.labels}}\n  - {{quote this}}\n  {{else}}\n  - none\n  {{/each}}\n',
    '{{#if asleep}}\nreplicas: 0\n{{else}}\nreplicas: {{json values.replicas}}\n{{/if}}',
    'text: |\n  no variables here\nname: {{slug}}',
    '{{! a comment }}\n{{!-- {{{x}}} --}}\nname: {{slug}}',
    'a: b > c\nname: {{slug}}',
  ])('takes %j', (text) => {
    expect(check(text)).toBe('taken');
  });

  it.each([
    ['name: {{mr.title}}', 1],
    ['a: b\nname: {{{slug}}}', 2],
    ['name: {{&slug}}', 1],
    ['name: {{url}}', 1],
    ['name: x-{{quote mr.title}}', 1],
    ['name: {{quote mr.title}}-x', 1],
    ['name: "{{quote mr.title}}"', 1],
    ['name: {{quote mr.title}} # comment', 1],
    ['# {{quote mr.title}}', 1],
    ['{{quote mr.title}}: x', 1],
    ['{{quote mr.title}}', 1],
    ['a: [{{quote mr.title}}]', 1],
    ['a: {{quote mr.title}}{{quote mr.title}}', 1],
    ['a: {{#if asleep}}x{{else}}{{quote mr.title}}{{/if}}', 1],
    ['a: x\n{{~#if asleep}}\nb: {{quote mr.title}}\n{{/if}}', 2],
    ['a: |\n  b: {{quote mr.title}}', 2],
    ['a: |\n  b: {{slug}}', 2],
    ['a: >-\n\n  b\n\n  c: {{slug}}', 5],
    ['- |2+ # comment\n    {{slug}}', 2],
    ['a: !!str |\n  {{slug}}', 2],
    ['{{> other}}', 1],
    ['{{> (lookup . "x")}}', 1],
    ['{{#> layout}}x{{/layout}}', 1],
    ['{{#*inline "x"}}y{{/inline}}', 1],
    ['{{* decorator}}', 1],
    ['a: {{lookup mr "title"}}', 1],
    ['a: {{log mr.title}}', 1],
    ['a: {{quote (lookup mr "title")}}', 1],
    ['a: {{lower mr.title}}', 1],
    ['a: {{default mr.title "x"}}', 1],
    ['{{#lookup mr "title"}}x{{/lookup}}', 1],
    ['{{#mr}}x{{/mr}}', 1],
    ['{{#each mr.labels as |slug|}}\na: {{slug}}\n{{/each}}', 1],
    ['{{#with mr}}\na: {{sha}}\n{{/with}}', 2],
    ['{{#each mr.labels}}\na: {{slug}}\n{{/each}}', 2],
    ['a: {{quote nothing}}', 1],
    ['a: {{quote mr.titel}}', 1],
    ['a: {{quote (default source.branch "x")}}', 1],
    ['a: {{quote slug.length}}', 1],
    ['a: {{quote constructor}}', 1],
    ['a: {{quote @root.nothing}}', 1],
    ['{{#if aslep}}\na: b\n{{/if}}', 1],
    ['a: {{quote mr.title trim=true}}', 1],
    ['a: {{slug', 1],
    ['{{#if a}}\nx', 1],
    ['a: \uE001', null],
  ])('refuses %j', (text, line) => {
    const data = expect.objectContaining({ template: 't' });
    expect(check(text)).toMatchObject({ code: 'template-invalid', data });
    if (line !== null) expect((check(text) as { data: { line: number | null } }).data.line ?? line).toBe(line);
  });

  it('refuses what could grow without bound', () => {
    const nested = `{{#each mr.labels}}\n{{#each b}}\n{{#each c}}\n${'x'.repeat(200)}\n{{/each}}\n{{/each}}\n{{/each}}`;
    expect(check(nested)).toMatchObject({
      code: 'template-invalid',
      publicMessage: expect.stringContaining('too large'),
    });
    expect(check('x'.repeat(70_000))).toMatchObject({ code: 'template-invalid' });
  });
});
