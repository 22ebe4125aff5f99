// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the notation of the files under test.
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AgentOptions } from '../../src/agent/agent-options.js';
import { loadAgentConfig } from '../../src/config/load-agent-config.js';
import { environment, refusal, temporaryFile } from './config-files.js';

const least = `name: default
manager: {url: https://mayfly.example.com/, token: "\${AGENT_TOKEN}"}
branch: {repository: https://gitlab.example.com/platform/environments.git}
repositories: ["https://gitlab.example.com/acme/*"]
`;

async function load(text: string) {
  return loadAgentConfig({ file: await temporaryFile('agent.yaml', text), environment });
}

async function problems(text: string) {
  return refusal(load(text));
}

describe('agent.yaml', () => {
  it('is complete with only what is required, and is what the agent takes', async () => {
    const { config, secrets, warnings } = await load(least);
    const options: AgentOptions = config;
    expect(options).toEqual({
      name: 'default',
      manager: { url: 'https://mayfly.example.com', token: 'agent-token-0123456789' },
      branch: {
        repository: 'https://gitlab.example.com/platform/environments.git',
        name: 'dynamic-envs',
        applications: 'apps',
      },
      engine: 'builtin',
      namespacePrefix: 'preview-',
      agentNamespace: 'mayfly',
      hosts: [],
      repositories: [{ pattern: 'https://gitlab.example.com/acme/*' }],
      probe: { allowLoopback: false },
      podSecurity: 'baseline',
      limits: { previews: 300, resources: { cpu: '8', memory: '16Gi', pods: 60 } },
      network: {
        policy: 'isolated',
        allowFrom: ['ingress-nginx'],
        denyTo: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'],
      },
      teardownTimeoutMs: 300_000,
      concurrency: 10,
      dataDir: resolve('agent-data'),
      pollIntervalMs: 15_000,
      listen: { host: '0.0.0.0', metricsPort: 9091 },
      log: { level: 'info' },
    });
    expect(secrets).toEqual(['agent-token-0123456789']);
    expect(warnings).toEqual([]);
  });

  it('takes credentials of repositories, a kubeconfig and everything else', async () => {
    const { config, secrets } = await load(`${least.replace(/^repositories.*$/m, '')}
repositories:
  - {url: "https://gitlab.example.com/*", username: mayfly, token: read-token-1}
  - {url: "oci://registry.example.com/charts/*", token: read-token-2, realm: "https://gitlab.example.com/jwt/auth"}
programs: {helm: /opt/helm}
kubeconfig: {path: /etc/kubeconfig, context: dev}
hosts: ["*.preview.example.com", shop.example.com]
podSecurity: restricted
probe: {allowLoopback: true}
limits: {previews: 10, resources: {cpu: 2, memory: none, pods: none}}
secretsFrom: previews-shared
network: {policy: open, allowFrom: [], denyTo: ["192.0.2.0/24"]}
teardown: {timeout: 90s}
concurrency: 3
namespacePrefix: mr-
agentNamespace: mayfly-agent
`);
    expect(config).toMatchObject({
      repositories: [
        { pattern: 'https://gitlab.example.com/*', username: 'mayfly', token: 'read-token-1' },
        {
          pattern: 'oci://registry.example.com/charts/*',
          token: 'read-token-2',
          realm: 'https://gitlab.example.com/jwt/auth',
        },
      ],
      programs: { helm: '/opt/helm' },
      kubeconfig: { path: '/etc/kubeconfig', context: 'dev' },
      hosts: ['*.preview.example.com', 'shop.example.com'],
      probe: { allowLoopback: true },
      podSecurity: 'restricted',
      limits: { previews: 10, resources: { cpu: '2' } },
      secretsFrom: 'previews-shared',
      network: { policy: 'open', allowFrom: [], denyTo: ['192.0.2.0/24'] },
      teardownTimeoutMs: 90_000,
      concurrency: 3,
      namespacePrefix: 'mr-',
    });
    expect(secrets).toContain('read-token-1');
  });

  it.each([
    ['engine: argocd', '5:9 engine: not one of builtin.'],
    [
      'kinds: {}',
      '5:1 kinds: unknown key, which this version does not have. The nearest key here is `hosts`; known are `name`, `manager`, `branch`, `engine`, `namespacePrefix`, `agentNamespace`, `hosts`, `repositories`, `programs`, `probe`, `podSecurity`, `limits`, `secretsFrom`, `network`, `teardown`, `concurrency`, `dataDir`, `kubeconfig`, `listen`, `log`.',
    ],
    ['podSecurity: privileged', '5:14 podSecurity: not one of baseline, restricted.'],
    [
      'hosts: [https://x.example.com]',
      '5:9 hosts[0]: not a host such as shop.example.com, nor a pattern such as *.preview.example.com.',
    ],
    [
      'agentNamespace: preview-agent',
      '5:17 agentNamespace: begins with the prefix of previews, preview-. Keep the agent in a namespace that no preview can be called.',
    ],
    [
      'secretsFrom: preview-shared',
      '5:14 secretsFrom: begins with the prefix of previews, preview-. Keep shared secrets in a namespace that no preview can be called.',
    ],
    [
      'secretsFrom: mayfly',
      '5:14 secretsFrom: is the agent’s own namespace, whose secrets open Git and the manager. Use another one.',
    ],
    ['network: {denyTo: [10.0.0.0]}', '5:20 network.denyTo[0]: not a network such as 10.0.0.0/8 or fc00::/7.'],
    ['limits: {resources: {cpu: many}}', '5:27 limits.resources.cpu: not a quantity such as 4, 500m or 8Gi.'],
    ['kubeconfig: 3', '5:13 kubeconfig: must be a path or a group of keys, not a number.'],
    ['kubeconfig: {contxt: a, path: b}', '5:14 kubeconfig.contxt: unknown key. Did you mean `context`?'],
  ])('refuses %s', async (yaml, sentence) => {
    expect(await problems(`${least}${yaml}\n`)).toEqual([sentence]);
  });

  it.each(['https://*/acme', 'https://user@host/a', 'git@host:a/b', 'https://host'])(
    'refuses the pattern of repositories %s',
    async (pattern) => {
      expect(await problems(least.replace('https://gitlab.example.com/acme/*', pattern))).toEqual([
        '4:16 repositories[0].url: not a URL pattern such as https://gitlab.example.com/acme/* or oci://registry.example.com/charts/*: the host is written out and has no user name.',
      ]);
    },
  );

  it('is warned about when no manager is named, or its token would travel in clear', async () => {
    const paths = async (text: string) => (await load(text)).warnings.map((each) => each.path);
    expect(await paths(least.replace(/^manager.*$/m, ''))).toEqual(['']);
    expect(await paths(least.replace('https://mayfly', 'http://mayfly'))).toEqual(['manager.url']);
  });

  it('is refused when a token of Git would travel in clear', async () => {
    const text = `name: default
branch: {repository: "http://gitlab.internal/e.git", token: a-token}
repositories: [{url: "http://gitlab.internal/*", token: a-token}, "http://gitlab.internal/*", {url: "http://127.0.0.1:3000/*", token: t}]
`;
    const sentence = 'http:// would send its token in clear over the network. Use https://, or leave the token out.';
    expect(await problems(text)).toEqual([
      `2:22 branch.repository: ${sentence}`,
      `3:22 repositories[0].url: ${sentence}`,
    ]);
  });
});
