import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseApplication } from '../../../src/application/validate.js';
import { isAppError } from '../../../src/error/app-error.js';
import { compileTemplate } from '../../../src/manager/render/compile-template.js';
import type { RenderProject } from '../../../src/manager/render/context.js';
import { renderApplication } from '../../../src/manager/render/render-application.js';
import type { MergeRequestFacts } from '../../../src/preview/facts.js';
import { branchSlug } from '../../../src/preview/naming.js';
import { deployingPreview, mergeRequestFacts } from '../../support/preview-rows.js';

const builtInText = readFileSync(new URL('../../../templates/application.yml.hbs', import.meta.url), 'utf8');

const project: RenderProject = {
  name: 'shop',
  path: 'acme/shop',
  cloneUrl: 'https://gitlab.example.com/acme/shop.git',
  template: 'application',
  url: 'https://{{slug}}.preview.example.com/{{branchSlug}}',
  source: { path: 'deploy/preview', recurse: true, chart: null, fixed: null },
  values: { image: 'registry.example.com/shop:{{shortSha}}', branch: '{{branchSlug}}' },
};

/** Every place in which a template may put what a stranger wrote. */
const everywhere = builtInText.replace(
  '  syncPolicy:',
  `  info:
    - name: title
      value: {{quote mr.title}}
    - {{quote mr.author}}
    - {{json mr.labels}}
    {{#each mr.labels}}
    - {{quote (truncate (lower this) 20)}}
    {{/each}}
    - {{branchSlug}}
    - {{sha}}
  hosts:
    bare: {{branchSlug}}
    'quoted key': {{shortSha}} # with a comment
    mixed: preview-{{branchSlug}}-{{shortSha}}.example.com
    inside: "{{branchSlug}}"
    flow: [a, "{{branchSlug}}", b]
    all: {{json mr}}
    source: {{quote (default mr.sourceBranch "none")}}
    target: {{quote mr.targetBranch}}
    members: {{json members}}
    values: {{json values}}
    url: {{quote url}}
  syncPolicy:`,
);

const own = compileTemplate('own', everywhere, false);
const builtIn = compileTemplate('application', builtInText, true);

/** What has meaning somewhere: in YAML, Handlebars, JSON, a shell, a terminal, Unicode, or as another type. */
const special = fc.constantFrom(
  ...['"', "'", '\\', '\n', '\r\n', '\t', ': ', ' #', '- ', '? ', '{', '}', '[', ']', ',', '&a', '*a', '!!', '|', '>'],
  ...['---', '...', '%YAML', '<<: ', '{{', '}}', '{{{slug}}}', '{{> x}}', '~', 'null', 'true', 'no', '1e3', '0x1f'],
  ...['.inf', '.nan', '2001-01-01', '12:30:45', '__proto__', 'constructor', '\0', '\u001b[31m', '\u0085', '\u2028'],
  ...['\u202e', '\ufeff', '\ud800', '\udfff', '\uE000', '\uE001', '$(id)', '`id`', '🦟', 'é'],
);
const hostileText = fc.oneof(
  fc
    .array(fc.oneof(special, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 12 })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  special,
);
/** Names that YAML reads as something else than a text, and a branch name may well be. */
const branch = fc.oneof(
  hostileText,
  fc.constantFrom('null', 'true', 'yes', '1', '007', '1e3', '0x1f', '1_000', '12345678', '-', 'feature/1e9'),
);
const hexSha = fc
  .array(fc.constantFrom(...'0123456789abcdefe'), { minLength: 40, maxLength: 40 })
  .map((digits) => digits.join(''));
const allDigits = fc
  .array(fc.constantFrom(...'0123456789'), { minLength: 40, maxLength: 40 })
  .map((each) => each.join(''));
const exponent = fc.integer({ min: 0, max: 9 }).map((digit) => `${digit}e${'1'.repeat(38)}`);

const facts = fc.record({
  title: hostileText,
  authorUsername: hostileText,
  sourceBranch: branch,
  targetBranch: branch,
  webUrl: hostileText,
  labels: fc.array(hostileText, { maxLength: 4 }),
});

function render(template: typeof own, changes: Partial<MergeRequestFacts>, sha: string): string {
  const preview = deployingPreview(42, {
    members: [{ projectId: 7, iid: 42, wantedSha: sha, deployedSha: null, next: null }],
  });
  const input = { installation: 'i', preview, project, facts: mergeRequestFacts(42, changes) };
  return renderApplication(template, input).text;
}

/** The types and keys of a value, without its texts. */
function shapeOf(value: unknown): unknown {
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]));
}

describe('what a stranger writes', () => {
  it('never changes the structure of a file, whatever place a template gives it', () => {
    fc.assert(
      fc.property(facts, fc.oneof(hexSha, allDigits, exponent), (changes, sha) => {
        const harmless = { title: 'x', authorUsername: 'x', sourceBranch: 'x', targetBranch: 'x', webUrl: 'x' };
        const labels = changes.labels.map((label) => (label === '' ? '' : 'x'));
        const text = render(own, changes, sha);
        const plain = render(own, { ...harmless, labels }, 'a'.repeat(40));
        expect(shapeOf(parseApplication(text))).toEqual(shapeOf(parseApplication(plain)));
        const { spec } = parseApplication(text);
        const hosts = spec.hosts as Record<string, unknown>;
        expect(hosts.bare).toBe(branchSlug(changes.sourceBranch));
        expect(hosts['quoted key']).toBe(sha.slice(0, 8));
        expect(spec.source.targetRevision).toBe(sha);
      }),
      { numRuns: 500 },
    );
  });

  it('never reaches the built-in file, but for its link', () => {
    fc.assert(
      fc.property(facts, (changes) => {
        const sha = 'a'.repeat(40);
        const branchName = { sourceBranch: changes.sourceBranch };
        expect(render(builtIn, changes, sha)).toBe(render(builtIn, branchName, sha));
      }),
      { numRuns: 200 },
    );
  });

  it('is refused for this preview alone where a template lets it become another type', () => {
    // In a flow and without quotes nothing tells a text from a number.
    const careless = compileTemplate(
      'careless',
      builtInText.replace('  syncPolicy:', '  info: [{{branchSlug}}, a]\n  syncPolicy:'),
      false,
    );
    expect(parseApplication(render(careless, { sourceBranch: 'cart' }, 'a'.repeat(40))).spec.info).toEqual([
      'cart',
      'a',
    ]);
    for (const sourceBranch of ['1e3', 'null', 'true', '0x1f', '']) {
      const error = catchError(() => render(careless, { sourceBranch }, 'a'.repeat(40)));
      expect(isAppError(error, 'template-failed'), sourceBranch).toBe(true);
    }
  });

  it('is a text again when it stands alone, whatever it looks like', () => {
    const text = render(own, { sourceBranch: '1e3' }, `${'1'.repeat(8)}${'e'.repeat(32)}`);
    const { hosts, info } = parseApplication(text).spec as { hosts?: Record<string, unknown>; info?: unknown[] };
    expect(hosts).toMatchObject({ bare: '1e3', 'quoted key': '11111111', inside: '1e3', flow: ['a', '1e3', 'b'] });
    expect(info?.slice(-2)).toEqual(['1e3', `${'1'.repeat(8)}${'e'.repeat(32)}`]);
  });
});

function catchError(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
