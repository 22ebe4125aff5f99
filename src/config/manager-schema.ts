import { z } from 'zod';
import { logLevels } from '../log/create-logger.js';
import { branchName, folder, labelName, line, secret, secrets, text, typed, webUrl, wholeNumber } from './fields.js';
import { registryHost, registrySchema } from './gate-schema.js';
import { groupSchema } from './group-schema.js';
import { defaultsSchema, projectSchema } from './project-schema.js';

const signingToken = /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/;

const gitlab = z.strictObject({
  url: webUrl().meta({ description: 'Address of GitLab.' }),
  token: secret().meta({ description: 'Access token with the scope `api`.' }),
  webhookSecret: secrets()
    .optional()
    .meta({ description: 'Secret token of the webhooks (`X-Gitlab-Token`). A list while it is rotated.' }),
  signingToken: secrets()
    .refine(
      (tokens) => tokens.every((token) => signingToken.test(token)),
      'not a signing token: whsec_ and base64, as GitLab shows it.',
    )
    .optional()
    .meta({ description: 'Signing token of the webhooks, `whsec_…` (GitLab 19). A list while it is rotated.' }),
  registry: registryHost().optional().meta({
    description: 'Host of GitLab’s own container registry: images of it are asked for through GitLab’s API.',
  }),
});

const branch = z.strictObject({
  repository: webUrl().meta({ description: 'Repository that holds the branch.' }),
  name: branchName().default('dynamic-envs').meta({ description: 'The branch. Created when it is missing.' }),
  token: secret().optional().meta({ description: 'Token that may read and write the repository.' }),
  applications: folder().default('apps').meta({ default: 'apps', description: 'Folder of the Applications.' }),
  templates: folder()
    .default('templates')
    .meta({ default: 'templates', description: 'Folder of templates that override the built-in one.' }),
  author: z
    .strictObject({
      name: line().default('Mayfly').meta({ description: 'Author of the commits.' }),
      email: line()
        .regex(/^[^\s<>@]+@[^\s<>@]+$/, 'not an e-mail address.')
        .optional()
        .meta({ description: 'Their address. Absent: `mayfly@` and the host of `publicUrl`.' }),
    })
    .prefault({}),
});

const listen = z.strictObject({
  host: text().default('0.0.0.0').meta({ description: 'Interface for webhooks, agents, API and probes.' }),
  port: wholeNumber(0, 65_535)
    .default(8080)
    .meta({ default: 8080, description: 'Webhooks, agents and API. 0: any free port.' }),
  metricsPort: wholeNumber(0, 65_535)
    .default(9090)
    .meta({ default: 9090, description: '`/healthz`, `/readyz`, `/metrics`.' }),
  dashboardPort: wholeNumber(0, 65_535).default(8081).meta({
    default: 8081,
    description: 'The read-only page of previews, on 127.0.0.1 alone: it asks nobody who they are.',
  }),
});

const apiToken = z.strictObject({
  name: line(63).meta({ description: 'Who it is; shown in the history.' }),
  hash: text()
    .regex(/^sha256:[0-9a-f]{64}$/, 'not a hash of `mayfly token new`: sha256: and 64 hexadecimal digits.')
    .meta({ description: 'The half that `mayfly token new` prints for the configuration.' }),
  scope: z
    .enum(['read', 'operate'])
    .meta({ description: '`read`: look. `operate`: also stop, start, extend and accept.' }),
});

const agent = z.strictObject({
  name: labelName(63).meta({ description: 'Name of the cluster, as `preview.cluster` says it.' }),
  token: secret().min(16, 'shorter than 16 characters. Use a long random one: openssl rand -hex 32').meta({
    description: 'What the agent shows to the manager; the same in its own file.',
  }),
  namespacePrefix: namespacePrefix(),
});

/** The prefix keeps previews apart from every other namespace, so it can never be empty. */
export function namespacePrefix() {
  return text()
    .max(30, 'longer than 30 characters. Shorten it.')
    .regex(/^[a-z][a-z0-9-]*-$/, 'may hold only a-z, 0-9 and -, begins with a letter and ends in -, such as preview-.')
    .default('preview-')
    .meta({ description: 'What every preview’s namespace begins with. The same in both files.' });
}

export function logSettings() {
  return z
    .strictObject({
      level: z.enum(logLevels).default('info').meta({ description: 'Least important lines that are written.' }),
    })
    .prefault({});
}

/** `mayfly.yaml`. */
export const managerSchema = z.strictObject({
  gitlab,
  branch,
  publicUrl: webUrl().meta({ description: 'Where GitLab and people reach the manager.' }),
  database: text()
    .refine((url) => /^postgres(ql)?:\/\//.test(url) && URL.canParse(url), 'not a URL that begins with postgres://.')
    .refine(
      (url) => !/%(?![0-9a-f]{2})/i.test(url),
      'has a % that encodes nothing. Write %25 for a percent sign in the password.',
    )
    .optional()
    .meta({ description: 'URL of PostgreSQL 14 or newer. Absent: an embedded PostgreSQL under `dataDir`.' }),
  dataDir: text().default('./data').meta({ description: 'Folder of what the manager keeps on disk.' }),
  listen: listen.prefault({}),
  log: logSettings(),
  defaults: defaultsSchema
    .prefault({})
    .meta({ description: 'Any key of a project but `name` and `path`; a project’s own keys win.' }),
  projects: z.array(projectSchema, typed('a list')).min(1, 'an empty list. Add a project.'),
  groups: z.array(groupSchema, typed('a list')).default([]),
  limits: z
    .strictObject({
      previews: wholeNumber(1, 100_000)
        .default(200)
        .meta({ default: 200, description: 'Previews of all projects at once; more wait in a line.' }),
    })
    .prefault({}),
  api: z.strictObject({ tokens: z.array(apiToken, typed('a list')).default([]) }).prefault({}),
  registries: z.array(registrySchema, typed('a list')).default([]),
  agents: z.array(agent, typed('a list')).min(1, 'an empty list. Add the agent of a cluster.'),
});

export type ManagerInput = z.output<typeof managerSchema>;
