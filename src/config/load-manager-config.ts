import { resolve } from 'node:path';
import { crossCheckManager } from './check-manager-config.js';
import { isClearText } from './clear-text.js';
import { completeGroup } from './complete-group.js';
import { completeProject } from './complete-project.js';
import { type Loaded, type LoadInput, loadConfig } from './load-config.js';
import type { ManagerConfig } from './manager-config.js';
import { type ManagerInput, managerSchema } from './manager-schema.js';
import type { ConfigProblem } from './problem.js';
import type { YamlFile } from './yaml-file.js';

/**
 * Reads `mayfly.yaml`: variables filled in, validated as a whole, defaults applied.
 * Errors: `config-unreadable`, `config-invalid`.
 */
export async function loadManagerConfig(input: LoadInput): Promise<Loaded<ManagerConfig>> {
  return loadConfig({ schema: managerSchema, crossCheck: crossCheckManager, warn, complete, secretsOf }, input);
}

function complete(input: ManagerInput): ManagerConfig {
  const { gitlab, branch, defaults } = input;
  return {
    gitlab: {
      url: gitlab.url,
      token: gitlab.token,
      webhookSecrets: gitlab.webhookSecret ?? [],
      signingTokens: gitlab.signingToken ?? [],
      registry: gitlab.registry ?? null,
    },
    branch: {
      repository: branch.repository,
      name: branch.name,
      token: branch.token ?? null,
      applications: branch.applications,
      templates: branch.templates,
      author: {
        name: branch.author.name,
        email: branch.author.email ?? `mayfly@${new URL(input.publicUrl).hostname}`,
      },
    },
    publicUrl: input.publicUrl,
    database: input.database ?? null,
    dataDir: resolve(input.dataDir),
    listen: input.listen,
    log: input.log,
    projects: input.projects.map((project) => completeProject(project, defaults)),
    groups: input.groups.map((group) => completeGroup(group, { defaults, all: input.projects })),
    limits: input.limits,
    api: input.api,
    registries: input.registries.map(({ username, password, ...entry }) => ({
      ...entry,
      credential: username === undefined || password === undefined ? null : { username, password },
    })),
    agents: input.agents,
  };
}

function secretsOf(config: ManagerConfig): (string | null | undefined)[] {
  const password = config.database === null ? null : decodeURIComponent(new URL(config.database).password);
  return [
    config.gitlab.token,
    ...config.gitlab.webhookSecrets,
    ...config.gitlab.signingTokens,
    config.branch.token,
    config.database,
    password,
    ...config.projects.flatMap((project) => project.webhookSecrets),
    ...config.agents.map((agent) => agent.token),
    ...config.registries.map((registry) => registry.credential?.password),
  ];
}

function warn(input: ManagerInput, file: YamlFile): ConfigProblem[] {
  const urls: [PropertyKey[], string][] = [
    [['gitlab', 'url'], input.gitlab.url],
    [['publicUrl'], input.publicUrl],
  ];
  const clear = urls
    .filter(([, url]) => isClearText(url))
    .map(([path]) =>
      file.problemAt(path, 'http:// sends tokens in clear over the network. Use https:// where it can be had.'),
    );
  const forks = [
    { path: ['defaults', 'follow', 'forks'], value: input.defaults.follow?.forks },
    ...input.projects.map((project, i) => ({ path: ['projects', i, 'follow', 'forks'], value: project.follow?.forks })),
  ]
    .filter((each) => each.value === 'always')
    .map((each) =>
      file.problemAt(
        each.path,
        'whoever can fork the project can run what they like in a preview. Use never where that is not meant.',
      ),
    );
  const linked = input.groups.flatMap(({ forks: names }, i) =>
    names.length === 0
      ? []
      : [
          file.problemAt(
            ['groups', i, 'forks'],
            `what strangers push to forks of ${names.join(', ')} runs beside the commits of the others, and reads what they give to the preview. Leave it out where that is not meant.`,
          ),
        ],
  );
  return [...clear, ...forks, ...linked];
}
