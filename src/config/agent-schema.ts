import { z } from 'zod';
import { branchName, duration, folder, labelName, line, secret, text, typed, webUrl, wholeNumber } from './fields.js';
import { logSettings, namespacePrefix } from './manager-schema.js';

const manager = z.strictObject({
  url: webUrl().meta({ description: 'Where the manager is reached.' }),
  token: secret().meta({ description: 'The token that `agents` of mayfly.yaml has for this agent.' }),
});

const branch = z.strictObject({
  repository: webUrl().meta({ description: 'Repository that holds the branch.' }),
  name: branchName().default('dynamic-envs').meta({ description: 'The branch.' }),
  applications: folder().default('apps').meta({ default: 'apps', description: 'Folder of the Applications.' }),
  token: secret().optional().meta({ description: 'Token that may read the repository, and nothing else.' }),
});

const host = text().regex(
  /^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
  'not a host such as shop.example.com, nor a pattern such as *.preview.example.com.',
);

const repositoryPattern = text('a URL').regex(
  /^https?:\/\/[^\s/*@?#]+\/[^\s?#]+$/,
  'not a URL pattern such as https://gitlab.example.com/acme/*: the host is written out and has no user name.',
);

const repository = z.preprocess(
  (value) => (typeof value === 'string' ? { url: value } : value),
  z.strictObject(
    {
      url: repositoryPattern.meta({
        description:
          'Repository that previews may come from; `*` stands for any text. A plain text means this key alone.',
      }),
      username: line().optional().meta({ description: 'User name for its host.' }),
      token: secret().optional().meta({ description: 'Password or token for its host; sent to that host alone.' }),
    },
    typed('a URL or a group of keys'),
  ),
);

const kubeconfig = z.preprocess(
  (value) => (typeof value === 'string' ? { path: value } : value),
  z.strictObject(
    {
      path: text().meta({
        description: 'A kubeconfig file, for an agent outside the cluster. A plain text means this key alone.',
      }),
      context: text().optional().meta({ description: 'Context of that file. Absent: its current one.' }),
    },
    typed('a path or a group of keys'),
  ),
);

/** `agent.yaml`. */
export const agentSchema = z.strictObject({
  name: labelName(63).meta({ description: 'Name of the cluster, as `agents` of mayfly.yaml has it.' }),
  manager: manager.optional(),
  branch,
  engine: z.enum(['builtin']).default('builtin').meta({ description: 'What applies the manifests.' }),
  namespacePrefix: namespacePrefix(),
  agentNamespace: labelName(63)
    .default('mayfly')
    .meta({ description: 'Namespace of the agent itself, where it keeps its inventory.' }),
  hosts: z
    .array(host, typed('a list'))
    .default([])
    .meta({ description: 'Hosts that previews’ URLs and Ingresses may use: exact, or `*.preview.example.com`.' }),
  repositories: z
    .array(repository, typed('a list'))
    .min(1, 'an empty list. Add the repositories that previews come from.'),
  podSecurity: z
    .enum(['baseline', 'restricted'])
    .default('baseline')
    .meta({ description: 'Pod-security level that previews’ namespaces enforce.' }),
  teardown: z
    .strictObject({
      timeout: duration().prefault('5m').meta({ description: 'Not gone after this long: what blocks it is named.' }),
    })
    .prefault({}),
  concurrency: wholeNumber(1, 100)
    .default(10)
    .meta({ default: 10, description: 'Previews that are worked on at once.' }),
  dataDir: text().default('./agent-data').meta({ description: 'Folder of the cache of sources.' }),
  kubeconfig: kubeconfig.optional(),
  listen: z
    .strictObject({
      host: text().default('0.0.0.0').meta({ description: 'Interface for probes and metrics.' }),
      metricsPort: wholeNumber(0, 65_535)
        .default(9091)
        .meta({ default: 9091, description: '`/healthz`, `/readyz`, `/metrics`. 0: any free port.' }),
    })
    .prefault({}),
  log: logSettings(),
});

export type AgentInput = z.output<typeof agentSchema>;
