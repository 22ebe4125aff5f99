// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the notation of the files under test.
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadManagerConfig } from '../../src/config/load-manager-config.js';
import { policyOf } from '../../src/config/policy-of.js';
import { configSchemas, keyReference } from '../../src/config/reference.js';
import { environment, least, refusal, temporaryFile } from './config-files.js';

const hour = 3_600_000;

async function load(text: string) {
  return loadManagerConfig({ file: await temporaryFile('mayfly.yaml', text), environment });
}

describe('mayfly.yaml', () => {
  it('is complete with only what is required: every default is filled in', async () => {
    const { config } = await load(least);
    expect(config).toEqual({
      gitlab: {
        url: 'https://gitlab.example.com',
        token: 'glpat-0123456789',
        webhookSecrets: ['hook-secret'],
        signingTokens: [],
        registry: null,
      },
      branch: {
        repository: 'https://gitlab.example.com/platform/environments.git',
        name: 'dynamic-envs',
        token: null,
        applications: 'apps',
        templates: 'templates',
        author: { name: 'Mayfly', email: 'mayfly@mayfly.example.com' },
      },
      publicUrl: 'https://mayfly.example.com',
      database: null,
      dataDir: resolve('data'),
      listen: { host: '0.0.0.0', port: 8080, metricsPort: 9090, dashboardPort: 8081 },
      log: { level: 'info' },
      projects: [
        {
          name: 'shop',
          path: 'acme/shop',
          preview: {
            name: '{{project}}-{{iid}}',
            template: 'application',
            url: null,
            source: { path: 'deploy/preview', recurse: true, chart: null, fixed: null },
            values: {},
            cluster: 'default',
          },
          follow: {
            labels: { any: [], all: [], none: ['no-preview'] },
            targetBranches: ['main', 'release/*'],
            sourceBranches: ['*'],
            authors: { any: [], none: [] },
            drafts: true,
            forks: 'approved',
            forkRepositories: [],
            optIn: false,
            optInLabel: 'preview',
          },
          gate: { pipeline: 'none', image: [], approval: 'none' },
          lifetime: {
            ttlMs: 72 * hour,
            maxMs: 14 * 24 * hour,
            warnMs: 12 * hour,
            keepAfterMergeMs: 0,
            sleep: { afterMs: null, awake: null },
          },
          limits: { previews: 20 },
          secrets: [],
          feedback: { note: true, commitStatus: { name: 'mayfly/preview', blocking: false }, logs: 'auto' },
          probe: null,
          commands: { level: 30 },
          settable: [],
          deployTimeoutMs: 600_000,
          webhookSecrets: [],
        },
      ],
      groups: [],
      limits: { previews: 200 },
      api: { tokens: [] },
      registries: [],
      agents: [{ name: 'default', token: 'agent-token-0123456789', namespacePrefix: 'preview-' }],
    });
  });

  it('has the defaults that its reference names', async () => {
    const documented = keyReference(configSchemas().manager)
      .filter((each) => each.key.startsWith('projects[].') && each.defaultValue !== null)
      .map((each) => ({ path: each.key.slice('projects[].'.length).split('.'), value: each.defaultValue ?? '' }));
    expect(documented.length).toBeGreaterThan(15);
    const written = nest(documented.map(({ path, value }) => [path, JSON.parse(value) as unknown]));
    const { config } = await load(`${least}defaults: ${JSON.stringify(written)}\n`);
    expect(config).toEqual((await load(least)).config);
  });

  it('takes every key of a project in defaults with the same effect as in the project', async () => {
    const settings = {
      preview: {
        name: '{{branchSlug}}',
        template: 'other',
        url: 'https://{{slug}}.example.com',
        source: { path: 'k8s', recurse: false, repository: 'https://git.example.com/a/b', revision: 'a'.repeat(40) },
        values: { a: { b: 1 }, replicas: 2 },
        cluster: 'default',
      },
      follow: {
        labels: { any: ['x'], all: ['z'], none: ['y'] },
        targetBranches: ['t'],
        sourceBranches: ['s'],
        authors: { any: ['ada'], none: ['bot'] },
        drafts: false,
        forks: 'always',
        forkRepositories: ['https://git.example.com/a/b'],
        optIn: true,
        optInLabel: 'show',
      },
      gate: { pipeline: 'success', image: ['registry.example.com/shop:{{sha}}'], approval: 'member' },
      lifetime: {
        ttl: '1d12h',
        max: '30d',
        warn: '2h',
        keepAfterMerge: '24h',
        sleep: { after: '4h', awake: 'Mon-Fri 07:30-20:00 Europe/Berlin' },
      },
      limits: { previews: 3, resources: { cpu: '2', memory: '1Gi', pods: 5 } },
      secrets: [{ copy: 'registry-pull', forks: true }],
      feedback: { note: false, commitStatus: { name: 'p', blocking: true }, logs: 'dashboard' },
      probe: { path: '/up', expect: 204, within: '90s' },
      commands: { level: 'maintainer' },
      settable: ['replicas'],
      deployTimeout: '90s',
      webhookSecret: ['one', 'two'],
    };
    const keys = keyReference(configSchemas().manager).filter((each) => each.key.startsWith('projects[].'));
    // `name` and `path` alone cannot stand in the defaults; `chart` stands instead of a folder; a list is one leaf.
    expect(leaves(settings)).toHaveLength(keys.length - 4 + leaves(settings.preview.values).length - 1);

    const listed = `${least}registries: [{host: registry.example.com}]\n`;
    const inDefaults = await load(`${listed}defaults: ${JSON.stringify(settings)}\n`);
    const inProject = await load(listed.replace('path: acme/shop', `path: acme/shop\n    ${yamlKeys(settings)}`));
    expect(inDefaults.config).toEqual(inProject.config);
    expect(inProject.config.projects[0]).toMatchObject({
      preview: { source: { fixed: { repository: 'https://git.example.com/a/b', revision: 'a'.repeat(40) } } },
      lifetime: {
        ttlMs: 36 * hour,
        maxMs: 30 * 24 * hour,
        warnMs: 2 * hour,
        keepAfterMergeMs: 24 * hour,
        sleep: { afterMs: 4 * hour, awake: { zone: 'Europe/Berlin', windows: [{ opens: 450, closes: 1200 }] } },
      },
      deployTimeoutMs: 90_000,
      feedback: { logs: 'dashboard' },
      probe: { path: '/up', expect: 204, withinMs: 90_000 },
      webhookSecrets: ['one', 'two'],
    });
  });

  it('takes all of a project’s sleep instead of that of the defaults', async () => {
    const defaults = 'defaults: {lifetime: {ttl: 5h, sleep: {after: 4h, awake: Mon-Fri 08:00-18:00 UTC}}}\n';
    const sleepOf = async (own: string) => {
      const { config } = await load(`${least.replace('path: acme/shop', `path: acme/shop\n    ${own}`)}${defaults}`);
      return config.projects[0]?.lifetime;
    };
    expect((await sleepOf('lifetime: {ttl: 1h}'))?.sleep).toMatchObject({ afterMs: 4 * hour, awake: { zone: 'UTC' } });
    expect(await sleepOf('lifetime: {sleep: {}}')).toMatchObject({
      ttlMs: 5 * hour,
      sleep: { afterMs: null, awake: null },
    });
  });

  it('lets a project win over the defaults: values merge by key, lists replace', async () => {
    const { config } = await load(
      `${least.replace('path: acme/shop', 'path: acme/shop\n    preview: {values: {image: {tag: b}, list: [2]}}\n    follow: {targetBranches: [dev]}')}
defaults:
  preview: {values: {image: {tag: a, name: n}, list: [1, 3], replicas: 1}}
  follow: {targetBranches: [main], drafts: false}
`,
    );
    expect(config.projects[0]?.preview.values).toEqual({ image: { tag: 'b', name: 'n' }, list: [2], replicas: 1 });
    expect(config.projects[0]?.follow).toMatchObject({ targetBranches: ['dev'], drafts: false });
  });

  it('takes a chart of another repository, and a folder of its own in its place', async () => {
    const chart = '{repository: "oci://registry.example.com/charts/", chart: shop, revision: 1.4.2}';
    const { config } = await load(`${least}defaults: {preview: {source: ${chart}}}\n`);
    expect(config.projects[0]?.preview.source).toMatchObject({
      chart: 'shop',
      fixed: { repository: 'oci://registry.example.com/charts', revision: '1.4.2' },
    });
    const own = least.replace('path: acme/shop', 'path: acme/shop\n    preview: {source: {path: k8s}}');
    const { config: other } = await load(`${own}defaults: {preview: {source: ${chart}}}\n`);
    expect(other.projects[0]?.preview.source).toEqual({ path: 'k8s', recurse: true, chart: null, fixed: null });
  });

  it('gives the policy that decisions are made by', async () => {
    const { config } = await load(least);
    const [project] = config.projects;
    if (project === undefined) throw new Error('no project');
    expect(policyOf(config, project)).toEqual({
      project: 'shop',
      nameTemplate: '{{project}}-{{iid}}',
      urlTemplate: null,
      cluster: 'default',
      namespacePrefix: 'preview-',
      follow: {
        labelsAny: [],
        labelsAll: [],
        labelsNone: ['no-preview'],
        targetBranches: ['main', 'release/*'],
        sourceBranches: ['*'],
        authorsAny: [],
        authorsNone: [],
        drafts: true,
        forks: 'approved',
        optInLabel: null,
      },
      settable: {},
      gatePipeline: 'none',
      gateImages: [],
      gateApproval: 'none',
      ttlMs: 72 * hour,
      maxMs: 14 * 24 * hour,
      warnMs: 12 * hour,
      keepAfterMergeMs: 0,
      sleep: { afterMs: null, awake: null },
      deployTimeoutMs: 600_000,
      maxPreviews: 20,
    });
  });
});

describe('variables of mayfly.yaml', () => {
  it('are told as secrets, those of tokens and those inside a URL, but not a plain address', async () => {
    const file = await temporaryFile(
      'mayfly.yaml',
      `${least.replace('https://gitlab.example.com\n', '${GITLAB_URL}\n').replace('hook-secret', '${file:hook}')}database: postgres://mayfly:\${PASSWORD}@db/mayfly\n`,
    );
    await writeFile(join(dirname(file), 'hook'), 'from-a-file\n');
    const { config, secrets } = await loadManagerConfig({
      file,
      environment: { ...environment, GITLAB_URL: 'https://gitlab.example.com', PASSWORD: 'p%40ss-word' },
    });
    expect(config.gitlab).toMatchObject({ url: 'https://gitlab.example.com', webhookSecrets: ['from-a-file'] });
    expect(secrets).toEqual(
      expect.arrayContaining(['glpat-0123456789', 'from-a-file', 'p%40ss-word', 'p@ss-word', 'agent-token-0123456789']),
    );
    expect(secrets).not.toContain('https://gitlab.example.com');
  });

  it('are left alone when written with two dollar signs, and never looked for in keys', async () => {
    const { config } = await load(
      least.replace('path: acme/shop', () => 'path: acme/shop\n    preview: {values: {"${KEY}": "$${NOT_MINE}"}}'),
    );
    expect(config.projects[0]?.preview.values).toEqual({ '${KEY}': '${NOT_MINE}' });
  });

  it('may be numbers and truth values', async () => {
    const file = await temporaryFile(
      'mayfly.yaml',
      `${least}listen: {port: "\${PORT}"}\ndefaults: {follow: {drafts: "\${DRAFTS}"}}\n`,
    );
    const { config } = await loadManagerConfig({
      file,
      environment: { ...environment, PORT: '8443', DRAFTS: 'false' },
    });
    expect(config.listen.port).toBe(8443);
    expect(config.projects[0]?.follow.drafts).toBe(false);
  });

  it.each([
    ['${NOPE}', 'the environment variable NOPE is not set. Set it before the start.'],
    ['${EMPTY}', 'the environment variable EMPTY is empty. Give it a value.'],
    [
      '"${not a name}"',
      '${not a name} names no environment variable. Write ${NAME} or ${file:/path}, or $${ for the two characters themselves.',
    ],
    ['${file:/nowhere/at-all}', 'the file /nowhere/at-all cannot be read (ENOENT). Mount it, or correct the path.'],
  ])('that cannot be filled in are told once, with their line: %s', async (written, sentence) => {
    const file = await temporaryFile('mayfly.yaml', least.replace('${GITLAB_TOKEN}', written));
    const lines = await refusal(loadManagerConfig({ file, environment: { ...environment, EMPTY: '' } }));
    expect(lines).toEqual([`3:10 gitlab.token: ${sentence}`]);
  });

  it('never show their value in a refusal', async () => {
    const file = await temporaryFile('mayfly.yaml', least.replace('https://gitlab.example.com\n', '${GITLAB_TOKEN}\n'));
    const lines = await refusal(
      loadManagerConfig({ file, environment: { ...environment, GITLAB_TOKEN: 'top secret' } }),
    );
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain('top secret');
  });
});

function nest(entries: [string[], unknown][]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of entries) {
    let node = root;
    for (const key of path.slice(0, -1)) {
      node[key] ??= {};
      node = node[key] as Record<string, unknown>;
    }
    node[path.at(-1) ?? ''] = value;
  }
  return root;
}

function leaves(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [value];
  return Object.values(value).flatMap(leaves);
}

function yamlKeys(group: Record<string, unknown>): string {
  return Object.entries(group)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join('\n    ');
}
