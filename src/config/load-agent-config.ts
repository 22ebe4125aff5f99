import { resolve } from 'node:path';
import type { AgentConfig } from './agent-config.js';
import { type AgentInput, agentSchema } from './agent-schema.js';
import { checkBranchToken } from './check-manager-config.js';
import { isClearText, tokenInClear } from './clear-text.js';
import { type Loaded, type LoadInput, loadConfig } from './load-config.js';
import type { ConfigProblem } from './problem.js';
import type { YamlFile } from './yaml-file.js';

/** How often the branch is looked at without a hint. */
const pollIntervalMs = 15_000;

/**
 * Reads `agent.yaml`: variables filled in, validated as a whole, defaults applied.
 * Errors: `config-unreadable`, `config-invalid`.
 */
export async function loadAgentConfig(input: LoadInput): Promise<Loaded<AgentConfig>> {
  return loadConfig({ schema: agentSchema, crossCheck, warn, complete, secretsOf }, input);
}

function complete(input: AgentInput): AgentConfig {
  const { repository, name, applications, token } = input.branch;
  return {
    name: input.name,
    ...(input.manager === undefined ? {} : { manager: input.manager }),
    branch: { repository, name, applications, ...(token === undefined ? {} : { token }) },
    engine: input.engine,
    namespacePrefix: input.namespacePrefix,
    agentNamespace: input.agentNamespace,
    hosts: input.hosts,
    repositories: input.repositories.map((each) => ({
      pattern: each.url,
      ...(each.username === undefined ? {} : { username: each.username }),
      ...(each.token === undefined ? {} : { token: each.token }),
      ...(each.realm === undefined ? {} : { realm: each.realm }),
    })),
    ...(input.programs === undefined ? {} : { programs: programsOf(input.programs) }),
    probe: input.probe,
    podSecurity: input.podSecurity,
    limits: { previews: input.limits.previews, resources: capOf(input.limits.resources) },
    ...(input.secretsFrom === undefined ? {} : { secretsFrom: input.secretsFrom }),
    network: input.network,
    teardownTimeoutMs: input.teardown.timeout,
    concurrency: input.concurrency,
    dataDir: resolve(input.dataDir),
    ...(input.kubeconfig === undefined ? {} : { kubeconfig: kubeconfigOf(input.kubeconfig) }),
    pollIntervalMs,
    listen: input.listen,
    log: input.log,
  };
}

/** Without what is not bounded. */
function capOf({ cpu, memory, pods }: AgentInput['limits']['resources']): AgentConfig['limits']['resources'] {
  const cap = {
    ...(cpu === 'none' ? {} : { cpu }),
    ...(memory === 'none' ? {} : { memory }),
    ...(pods === 'none' ? {} : { pods }),
  };
  return Object.keys(cap).length === 0 ? null : cap;
}

function kubeconfigOf(input: { path: string; context?: string | undefined }): { path: string; context?: string } {
  return { path: resolve(input.path), ...(input.context === undefined ? {} : { context: input.context }) };
}

function programsOf({ kustomize, helm }: NonNullable<AgentInput['programs']>): { kustomize?: string; helm?: string } {
  return { ...(kustomize === undefined ? {} : { kustomize }), ...(helm === undefined ? {} : { helm }) };
}

function crossCheck(file: YamlFile): ConfigProblem[] {
  return [
    ...checkNamespace(file),
    ...checkSecretsFrom(file),
    ...checkBranchToken(file),
    ...checkRepositoryTokens(file),
  ];
}

/** The agent's own namespace holds its inventory: a preview must never be able to take it. */
function checkNamespace(file: YamlFile): ConfigProblem[] {
  const parsed = agentSchema.pick({ namespacePrefix: true, agentNamespace: true }).strip().safeParse(file.value);
  if (!parsed.success || !parsed.data.agentNamespace.startsWith(parsed.data.namespacePrefix)) return [];
  const message = `begins with the prefix of previews, ${parsed.data.namespacePrefix}. Keep the agent in a namespace that no preview can be called.`;
  return [file.problemAt(['agentNamespace'], message)];
}

/** What a preview can be called must hold no secrets of others, and the agent's own namespace holds its tokens. */
function checkSecretsFrom(file: YamlFile): ConfigProblem[] {
  const shape = { namespacePrefix: true, agentNamespace: true, secretsFrom: true } as const;
  const parsed = agentSchema.pick(shape).strip().safeParse(file.value);
  const from = parsed.data?.secretsFrom;
  if (parsed.data === undefined || from === undefined) return [];
  const { namespacePrefix, agentNamespace } = parsed.data;
  if (from.startsWith(namespacePrefix)) {
    const message = `begins with the prefix of previews, ${namespacePrefix}. Keep shared secrets in a namespace that no preview can be called.`;
    return [file.problemAt(['secretsFrom'], message)];
  }
  const message = 'is the agent’s own namespace, whose secrets open Git and the manager. Use another one.';
  return from === agentNamespace ? [file.problemAt(['secretsFrom'], message)] : [];
}

function checkRepositoryTokens(file: YamlFile): ConfigProblem[] {
  const parsed = agentSchema.pick({ repositories: true }).strip().safeParse(file.value);
  if (!parsed.success) return [];
  return parsed.data.repositories.flatMap((each, index) =>
    each.token === undefined
      ? []
      : [
          ...(isClearText(each.url) ? [file.problemAt(['repositories', index, 'url'], tokenInClear)] : []),
          ...(each.realm !== undefined && isClearText(each.realm)
            ? [file.problemAt(['repositories', index, 'realm'], tokenInClear)]
            : []),
        ],
  );
}

function secretsOf(config: AgentConfig): (string | undefined)[] {
  return [config.manager?.token, config.branch.token, ...config.repositories.map((each) => each.token)];
}

function warn(input: AgentInput, file: YamlFile): ConfigProblem[] {
  if (input.manager === undefined) {
    return [file.problemAt([], 'there is no `manager`: nothing is reported, and no deletion can be explained.')];
  }
  if (!isClearText(input.manager.url)) return [];
  const message = 'http:// sends the token in clear over the network. Use https:// where it can be had.';
  return [file.problemAt(['manager', 'url'], message)];
}
