import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { revisionOf } from '../../../src/application/revision.js';
import { parseApplication } from '../../../src/application/validate.js';
import { compileTemplate, type Template } from '../../../src/manager/render/compile-template.js';
import type { RenderProject } from '../../../src/manager/render/context.js';
import { renderApplication } from '../../../src/manager/render/render-application.js';
import type { MergeRequestFacts } from '../../../src/preview/facts.js';
import { deployingPreview, mergeRequestFacts, shaOne } from '../../support/preview-rows.js';

const builtInText = readFileSync(new URL('../../../templates/application.yml.hbs', import.meta.url), 'utf8');
const builtIn = compileTemplate('application', builtInText, true);

const project: RenderProject = {
  name: 'shop',
  path: 'acme/shop',
  cloneUrl: 'https://gitlab.example.com/acme/shop.git',
  template: 'application',
  url: 'https://{{slug}}.preview.example.com',
  source: { path: 'deploy/preview', recurse: true, chart: null, fixed: null },
  values: { replicas: 1, image: 'registry.example.com/acme/shop:{{shortSha}}' },
};

const own = compileTemplate(
  'own',
  builtInText.replace(
    '  syncPolicy:',
    `  info:
    - name: title
      value: {{quote mr.title}}
    {{#each mr.labels}}
    - name: label
      value: {{quote (truncate (lower this) 300)}}
    {{/each}}
    {{#if mr.draft}}
    - name: draft
      value: "yes"
    {{/if}}
  values: {{json values}}
  host: {{slug}}-{{shortSha}}.example.com
  branch: {{quote (default mr.sourceBranch "none")}}
  syncPolicy:`,
  ),
  false,
);

const probed: RenderProject = { ...project, probe: { path: '/up', expect: 204, withinMs: 90_000 } };

function render(template: Template, changes: Partial<MergeRequestFacts> = {}) {
  const input = { installation: 'installation-1', preview: deployingPreview(42), project };
  return renderApplication(template, { ...input, facts: mergeRequestFacts(42, changes) });
}

/** What no file of ours holds: control and direction characters, halves of pairs. */
function isUnwanted(character: string): boolean {
  return character !== '\n' && /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(character);
}

describe('what a namespace is to hold', () => {
  const asks: RenderProject = {
    ...project,
    resources: { pods: 30, memory: '8Gi', cpu: '4' },
    secrets: [
      { copy: 'registry-pull', forks: true },
      { copy: 'database', forks: false },
    ],
  };
  const annotationsOf = (changes: Partial<MergeRequestFacts>, from: RenderProject = asks) => {
    const input = { installation: 'i', preview: deployingPreview(42), project: from };
    const { text } = renderApplication(builtIn, { ...input, facts: mergeRequestFacts(42, changes) });
    const { annotations } = parse(text).metadata as { annotations: Record<string, string> };
    return [annotations['mayfly.dev/resources'], annotations['mayfly.dev/secrets']];
  };

  it('stands in its annotations, in one order', () => {
    expect(annotationsOf({})).toEqual(['{"cpu":"4","memory":"8Gi","pods":30}', '["registry-pull","database"]']);
    expect(annotationsOf({}, project)).toEqual([undefined, undefined]);
  });

  it('holds no secret for a fork, nor for one whose source is gone, but what is for everybody', () => {
    for (const sourceProjectId of [8, null]) {
      expect(annotationsOf({ sourceProjectId })[1]).toBe('["registry-pull"]');
      const own = { ...asks, secrets: [{ copy: 'database', forks: false }] };
      expect(annotationsOf({ sourceProjectId }, own)[1]).toBeUndefined();
    }
  });
});

describe('rendering an Application', () => {
  it('carries the probe to the agent, as a part of the revision, where there is a URL to ask', () => {
    const input = { installation: 'installation-1', preview: deployingPreview(42), facts: mergeRequestFacts(42) };
    const plain = renderApplication(builtIn, { ...input, project });
    const { text, revision } = renderApplication(builtIn, { ...input, project: probed });
    expect(JSON.parse(parse(text).metadata.annotations['mayfly.dev/probe'])).toEqual({
      path: '/up',
      expect: 204,
      within: '1m30s',
    });
    expect(revision).not.toBe(plain.revision);
    expect(renderApplication(builtIn, { ...input, project: { ...probed, url: null } }).text).not.toContain('probe');
  });

  it("gives the built-in Application with the manager's annotations", () => {
    const { text, revision } = render(builtIn);
    expect(parse(text)).toEqual({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: {
        name: 'shop-42',
        labels: { 'app.kubernetes.io/part-of': 'shop' },
        annotations: {
          'mayfly.dev/installation': 'installation-1',
          'mayfly.dev/incarnation': '1',
          'mayfly.dev/merge-request': 'acme/shop!42',
          'mayfly.dev/source-ref': 'refs/merge-requests/42/head',
          'mayfly.dev/url': 'https://shop-42.preview.example.com',
        },
      },
      spec: {
        project: 'default',
        destination: { name: 'default', namespace: 'preview-shop-42' },
        source: {
          repoURL: 'https://gitlab.example.com/acme/shop.git',
          targetRevision: shaOne,
          path: 'deploy/preview',
          directory: { recurse: true },
        },
        syncPolicy: { automated: { prune: true, selfHeal: true } },
      },
    });
    expect(revision).toBe(revisionOf(parseApplication(text)));
    expect(render(builtIn, { title: 'Another', labels: [] })).toMatchObject({ text, revision });
  });

  it('keeps a sha of digits alone a text', () => {
    const sha = '1234567890123456789012345678901234567890';
    const preview = deployingPreview(42, {
      members: [{ projectId: 7, iid: 42, wantedSha: sha, deployedSha: null, next: null }],
    });
    const input = { installation: 'i', preview, project, facts: mergeRequestFacts(42) };
    expect(parse(renderApplication(builtIn, input).text).spec.source.targetRevision).toBe(sha);
  });

  it('gives an overriding template values, labels and blocks', () => {
    const { spec } = parse(render(own, { labels: ['One', 'two'], draft: true }).text);
    expect(spec.values).toEqual({ replicas: 1, image: `registry.example.com/acme/shop:${shaOne.slice(0, 8)}` });
    expect(spec.host).toBe(`shop-42-${shaOne.slice(0, 8)}.example.com`);
    expect(spec.info.map((each: { value: string }) => each.value)).toEqual(['Fix the cart', 'one', 'two', 'yes']);
  });

  const hostile = [
    '"\n  project: evil\n  x: "',
    "'; drop: {a: b} # comment",
    '{{constructor.constructor "return process"}} {{{x}}} {{> evil}}',
    '\\" \\n \\u0000 %s $HOME $(id) `id`',
    '--- !!js/function "x"\n...\n&a *a << : [',
    'null',
    '1e3',
    '\u0000\u0007\u001b[31m\u0085\u2028\u202e\ufeff\ud800',
    '🦟 préview 日本語 \u{1f468}\u200d\u{1f469}',
    'a'.repeat(1_000_000),
  ];

  it.each(hostile.map((text) => [text.slice(0, 40), text]))('is not changed in structure by %j', (_, text) => {
    const plain = parse(render(own).text);
    const { text: file } = render(own, {
      title: text,
      labels: [text],
      sourceBranch: text,
      authorUsername: text,
      webUrl: text,
    });
    const parsed = parse(file);
    expect(Object.keys(parsed.spec)).toEqual(Object.keys(plain.spec));
    expect(parsed.spec.info).toHaveLength(2);
    expect(parsed.spec.info.map((each: { name: string }) => each.name)).toEqual(['title', 'label']);
    expect(typeof parsed.spec.info[0].value).toBe('string');
    expect(file.length).toBeLessThan(6_000);
    expect(Array.from(file).filter(isUnwanted)).toEqual([]);
    if (/^[\x20-\x7e]+$/.test(text) && text.length < 1000) expect(parsed.spec.info[0].value).toBe(text);
  });

  it('takes ten thousand labels and bounds them', () => {
    const { spec } = parse(
      render(own, { labels: Array.from({ length: 10_000 }, (_, index) => `label ${index}`) }).text,
    );
    expect(spec.info).toHaveLength(101);
  });

  it('says what is wrong when the result is not the Application that is expected', () => {
    const cases: Array<[string, string, RegExp]> = [
      ['name: {{quote slug}}', 'name: {{quote project}}', /metadata.name: must be shop-42/],
      ['kind: Application', 'kind: Application\n---\nkind: Application', /expected one document/],
      ['{{quote source.repository}}', '{{quote mr.webUrl}}', /repoURL: is not on the list/],
      ['{{quote namespace}}', '{{quote cluster}}', /destination.namespace: must be preview-shop-42/],
      ['{{quote cluster}}', '{{quote values.nothing}}', /line 14: quote was given nothing/],
      ['{{quote cluster}}', '{{quote values.constructor}}', /line 14: quote was given nothing/],
      ['{{quote cluster}}', '{{quote values.__proto__.x}}', /does not exist/],
      ['{{quote cluster}}', '{{quote members.cart.sha}}', /does not exist/],
      ['{{quote cluster}}', '{{quote (lower values.nothing)}}', /line 14: lower was given nothing/],
      ['{{quote cluster}}', '{{quote (truncate slug "x")}}', /line 14: truncate needs a whole number/],
      ['{{quote cluster}}', '{{quote (truncate values 3)}}', /a list or an object; it takes a text/],
      ['{{quote cluster}}', '{{quote (default slug)}}', /line 14: default takes 2 values, not 1/],
      ['{{quote cluster}}', '{{quote slug cluster}}', /line 14: quote takes 1 value, not 2/],
      ['{{quote cluster}}', '{{quote mr}}', /use json/],
      ['  labels:', '  annotations: {mayfly.dev/url: x}\n  labels:', /never by a template/],
      ['  labels:', '  labels: [', /not plain YAML|not acceptable/],
    ];
    for (const [from, to, words] of cases) {
      const template = compileTemplate('own', builtInText.replace(from, to), false);
      expect(() => render(template), to).toThrow(
        expect.objectContaining({ code: 'template-failed', publicMessage: expect.stringMatching(words) }),
      );
    }
  });

  it('refuses a template in which a stranger could still change the structure', () => {
    // The check of lines cannot see that this line stands inside a text over several lines.
    const text = builtInText.replace(
      '  syncPolicy:',
      "  info: {note: 'first\n    title: {{quote mr.title}}\n    '}\n  syncPolicy:",
    );
    const template = compileTemplate('own', text, false);
    expect(() => render(template, { title: "', evil: '" })).toThrow(
      expect.objectContaining({ code: 'template-failed' }),
    );
  });
});
