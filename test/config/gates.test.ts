import { describe, expect, it } from 'vitest';
import { loadManagerConfig } from '../../src/config/load-manager-config.js';
import { policyOf } from '../../src/config/policy-of.js';
import { environment, least, refusal, temporaryFile } from './config-files.js';

const registries = 'registries: [{host: registry.example.com}]\n';

async function load(text: string) {
  return loadManagerConfig({ file: await temporaryFile('mayfly.yaml', text), environment });
}

function withGate(gate: string, rest = registries): string {
  return `${least.replace('    path: acme/shop\n', `    path: acme/shop\n    gate: ${gate}\n`)}${rest}`;
}

const problemsOf = async (text: string) => (await refusal(load(text))).map((line) => line.replace(/^\d+:\d+ /, ''));

describe('gates in mayfly.yaml', () => {
  it('reach the rules of previews', async () => {
    const image = 'registry.example.com/acme/shop/{{branchSlug}}:{{iid}}-{{shortSha}}';
    const { config } = await load(
      withGate(`{pipeline: {jobs: [build, "a b"]}, image: ["${image}"], approval: member}`),
    );
    const [project] = config.projects;
    if (project === undefined) throw new Error('no project');
    expect(policyOf(config, project)).toMatchObject({
      gatePipeline: { jobs: ['build', 'a b'] },
      gateImages: [image],
      gateApproval: 'member',
    });
  });

  it("may name images of GitLab's own registry without listing it", async () => {
    const own = least.replace(
      'webhookSecret: hook-secret',
      'webhookSecret: hook-secret\n  registry: Registry.example.com',
    );
    const text = own.replace(
      'path: acme/shop\n',
      'path: acme/shop\n    gate: {image: ["registry.example.com/a:{{sha}}"]}\n',
    );
    expect((await load(text)).config.gitlab.registry).toBe('registry.example.com');
  });

  it.each([
    ['{pipeline: green}', 'projects[0].gate.pipeline: not `none`, `success` or `{jobs: [names of jobs]}`.'],
    ['{pipeline: {jobs: []}}', 'projects[0].gate.pipeline'],
    [
      '{image: ["registry.example.com/acme/shop:{{tag}}"]}',
      'projects[0].gate.image[0]: uses {{tag}}, which is not known',
    ],
    ['{image: ["registry.example.com/acme/shop:latest"]}', 'is the same for every commit'],
    ['{image: ["registry.example.com/acme/shop:{{branchSlug}}"]}', 'is the same for every commit'],
    ['{image: ["acme/shop:{{sha}}"]}', 'not an image such as'],
    ['{image: ["{{slug}}.example.com/shop:{{sha}}"]}', 'not an image such as'],
    ['{image: ["registry.example.com/Acme/shop:{{sha}}"]}', 'not an image such as'],
    ['{image: ["registry.example.com/shop@sha256:{{sha}}"]}', 'not an image such as'],
    ['{image: ["https://registry.example.com/shop:{{sha}}"]}', 'not an image such as'],
    ['{image: ["registry.example.com/shop:{{sha}"]}', 'has a brace that is no part of a variable'],
    ['{image: ["other.example.com/shop:{{sha}}"]}', 'names the registry other.example.com, which is not listed.'],
    ['{approval: two}', 'projects[0].gate.approval: not one of none, member.'],
  ])('%s is refused', async (gate, sentence) => {
    const problems = await problemsOf(withGate(gate));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(sentence);
  });
});

describe('registries in mayfly.yaml', () => {
  it('are private and insecure only when they say so, and their passwords never reach a log', async () => {
    const list = '[{host: "Registry.example.com:5000", username: ada, password: a-long-secret}]';
    const { config } = await load(`${least}registries: ${list}\n`);
    expect(config.registries).toEqual([
      {
        host: 'registry.example.com:5000',
        credential: { username: 'ada', password: 'a-long-secret' },
        private: false,
        insecure: false,
      },
    ]);
  });

  it.each([
    ['[{host: "https://registry.example.com"}]', 'registries[0].host: not a host such as'],
    ['[{host: "registry.example.com/acme"}]', 'registries[0].host: not a host such as'],
    ['[{host: r.example.com, username: ada}]', 'registries[0].username: has no `password`. Add it.'],
    ['[{host: r.example.com, password: secret}]', 'registries[0].password: has no `username`. Add it.'],
    ['[{host: r.example.com, username: "a:b", password: c}]', 'registries[0].username: has a colon'],
    ['[{host: r.example.com, username: a, password: c, insecure: true}]', 'would send the password in clear'],
    ['[{host: r.example.com}, {host: R.example.com}]', 'registries[1].host: the same as in registries[0]'],
  ])('%s is refused', async (list, sentence) => {
    const problems = await problemsOf(`${least}registries: ${list}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(sentence);
  });

  it('may send a password to this machine without TLS', async () => {
    const list = '[{host: "127.0.0.1:5000", username: a, password: c, insecure: true, private: true}]';
    expect((await load(`${least}registries: ${list}\n`)).config.registries).toHaveLength(1);
  });
});
