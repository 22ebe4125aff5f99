import { isIP } from 'node:net';
import { z } from 'zod';
import {
  branchName,
  duration,
  flag,
  folder,
  labelName,
  line,
  secret,
  text,
  typed,
  webUrl,
  wholeNumber,
} from './fields.js';
import { logSettings, namespacePrefix } from './manager-schema.js';
import { quantity } from './resources.js';

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
  /^(https?|oci):\/\/[^\s/*@?#]+\/[^\s?#]+$/,
  'not a URL pattern such as https://gitlab.example.com/acme/* or oci://registry.example.com/charts/*: the host is written out and has no user name.',
);

const repository = z.preprocess(
  (value) => (typeof value === 'string' ? { url: value } : value),
  z.strictObject(
    {
      url: repositoryPattern.meta({
        description:
          'Repository of Git or of charts, or registry (`oci://`), that previews may come from; `*` stands for any text. A plain text means this key alone.',
      }),
      username: line().optional().meta({ description: 'User name for its host.' }),
      token: secret().optional().meta({ description: 'Password or token for its host; sent to that host alone.' }),
      realm: webUrl().optional().meta({
        description:
          'Where a registry has its tokens issued when that is another host, such as https://gitlab.example.com/jwt/auth: user name and token are sent there too.',
      }),
    },
    typed('a URL or a group of keys'),
  ),
);

/** `none`: no bound. */
function cap(otherwise: string, description: string) {
  return z
    .union([z.literal('none'), quantity()])
    .default(otherwise)
    .meta({ default: otherwise, description: `${description} \`none\`: any amount.` });
}

const cidr = text().refine(isCidr, 'not a network such as 10.0.0.0/8 or fc00::/7.');

function isCidr(value: string): boolean {
  const [address = '', length = '', ...rest] = value.split('/');
  const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1;
  return rest.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits;
}

/** Networks that are nobody's on the Internet: the cluster's own, the company's, and the cloud's metadata. */
const privateNetworks = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'];

const programPath = text().refine(
  (value) => value.startsWith('/'),
  'not an absolute path such as /usr/local/bin/helm.',
);

const programs = z.strictObject({
  kustomize: programPath.optional().meta({ description: 'Path of `kustomize`. Absent: it is looked for on PATH.' }),
  helm: programPath.optional().meta({ description: 'Path of `helm`. Absent: it is looked for on PATH.' }),
});

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
  programs: programs.optional(),
  probe: z
    .strictObject({
      allowLoopback: flag().default(false).meta({
        default: false,
        description: 'Whether the probe of a URL may contact the agent’s own machine. For trying things out alone.',
      }),
    })
    .prefault({}),
  podSecurity: z
    .enum(['baseline', 'restricted'])
    .default('baseline')
    .meta({ description: 'Pod-security level that previews’ namespaces enforce.' }),
  limits: z
    .strictObject({
      previews: wholeNumber(1, 100_000).default(300).meta({
        default: 300,
        description: 'Previews in this cluster at once; a further one is refused until one ends.',
      }),
      resources: z
        .strictObject(
          {
            cpu: cap('8', 'CPU of one preview’s pods together; what it asks for is capped by it.'),
            memory: cap('16Gi', 'Memory of one preview’s pods together.'),
            pods: z
              .union([z.literal('none'), wholeNumber(1, 10_000)])
              .default(60)
              .meta({ default: 60, description: 'Pods of one preview at once; `none`: any number.' }),
          },
          typed('a group of keys'),
        )
        .prefault({}),
    })
    .prefault({}),
  secretsFrom: labelName(63).optional().meta({
    description: 'The only namespace that secrets are copied from. Absent: none are.',
  }),
  network: z
    .strictObject({
      policy: z.enum(['isolated', 'open']).default('isolated').meta({
        default: 'isolated',
        description: 'isolated: reached from its own namespace and those of `allowFrom` alone. open: no policy.',
      }),
      allowFrom: z
        .array(labelName(63), typed('a list'))
        .default(['ingress-nginx'])
        .meta({
          default: ['ingress-nginx'],
          description: 'Namespaces whose pods reach previews, such as the ingress controller’s.',
        }),
      denyTo: z.array(cidr, typed('a list')).default(privateNetworks).meta({
        default: privateNetworks,
        description: 'Networks that previews do not reach; DNS and their own namespace they always do.',
      }),
    })
    .prefault({}),
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
