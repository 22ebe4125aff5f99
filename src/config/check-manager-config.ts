import { z } from 'zod';
import { settingTypeOf } from '../preview/setting.js';
import { checkGroups } from './check-groups.js';
import { checkImageHosts } from './check-registries.js';
import { isClearText, tokenInClear } from './clear-text.js';
import { agentsOf, type Numbered, partsOf } from './manager-parts.js';
import type { ConfigProblem } from './problem.js';
import type { ProjectInput, ProjectSettings } from './project-schema.js';
import type { YamlFile } from './yaml-file.js';

/** More digits than the iid of any merge request has. */
const iidDigits = 7;
const maxLabelLength = 63;

/** The checks that concern several keys of `mayfly.yaml`, over every part that is right by itself. */
export function crossCheckManager(file: YamlFile): ConfigProblem[] {
  const parts = partsOf(file.value);
  return [
    ...twice(
      file,
      'projects',
      'name',
      parts.projects.map(([i, project]) => [i, project.name]),
    ),
    ...twice(
      file,
      'projects',
      'path',
      parts.projects.map(([i, project]) => [i, project.path.toLowerCase()]),
    ),
    ...twice(
      file,
      'agents',
      'name',
      parts.agents.map(([i, agent]) => [i, agent.name]),
    ),
    ...twice(
      file,
      'agents',
      'token',
      parts.agents.map(([i, agent]) => [i, agent.token]),
    ),
    ...twice(
      file,
      ['api', 'tokens'],
      'name',
      parts.apiTokens.map(([i, token]) => [i, token.name]),
    ),
    ...parts.projects.flatMap(([index, project]) => checkCluster(file, index, project, parts.defaults)),
    ...parts.projects.flatMap(([index, project]) => checkSettable(file, index, project, parts.defaults)),
    ...checkGroups(file, parts),
    ...checkWebhooks(file, parts.gitlab, parts.projects, parts.defaults),
    ...checkPorts(file),
    ...checkBranchToken(file),
    ...checkImageHosts(file),
    ...twice(
      file,
      'registries',
      'host',
      parts.registries.map(([i, registry]) => [i, registry.host]),
    ),
  ];
}

function twice(file: YamlFile, list: string | string[], key: string, entries: Numbered<string>[]): ConfigProblem[] {
  const first = new Map<string, number>();
  return entries.flatMap(([index, value]) => {
    const before = first.get(value);
    if (before === undefined) {
      first.set(value, index);
      return [];
    }
    const name = [list].flat().join('.');
    const path = [...[list].flat(), index, key];
    return [file.problemAt(path, `the same as in ${name}[${before}]. Each needs its own.`)];
  });
}

function checkCluster(
  file: YamlFile,
  index: number,
  project: ProjectInput,
  defaults: ProjectSettings,
): ConfigProblem[] {
  const cluster = project.preview?.cluster ?? defaults.preview?.cluster ?? 'default';
  const agents = agentsOf(file.value);
  const agent = agents.find((each) => each.name === cluster);
  if (agents.length === 0) return [];
  if (agent === undefined) {
    const known = agents.map((each) => each.name).join(', ');
    const path = placeOf(index, project, defaults, 'cluster');
    return [
      file.problemAt(path, `no agent is called "${cluster}"; there is ${known}. Choose one, or add it to \`agents\`.`),
    ];
  }
  const template = project.preview?.name ?? defaults.preview?.name ?? '{{project}}-{{iid}}';
  const least = template
    .replace(/\{\{\s*project\s*\}\}/g, project.name)
    .replace(/\{\{\s*iid\s*\}\}/g, '9'.repeat(iidDigits))
    .replace(/\{\{\s*branchSlug\s*\}\}/g, 'x');
  const most = maxLabelLength - agent.namespacePrefix.length;
  if (least.length <= most) return [];
  const message = `makes names of ${least.length} characters, and with the prefix ${agent.namespacePrefix} only ${most} fit into the name of a namespace. Shorten the project's name, \`preview.name\` or the prefix.`;
  return [file.problemAt(placeOf(index, project, defaults, 'name'), message)];
}

/** What may be set has a value to begin with: its type is what a person's word is read by. */
function checkSettable(
  file: YamlFile,
  index: number,
  project: ProjectInput,
  defaults: ProjectSettings,
): ConfigProblem[] {
  const keys = project.settable ?? defaults.settable ?? [];
  const values = { ...defaults.preview?.values, ...project.preview?.values };
  return keys.flatMap((key, place) => {
    const problem = !/^[A-Za-z_][\w.-]{0,62}$/.test(key)
      ? 'may hold only letters, digits, _, . and -, and begins with a letter.'
      : !Object.hasOwn(values, key)
        ? `is no key of \`preview.values\`. Give ${key} a value there, which is what it is until it is set.`
        : settingTypeOf(values[key]) === null
          ? 'has a list or a group for its value. Only a number, a text, or true or false can be set.'
          : null;
    const path =
      project.settable === undefined ? ['defaults', 'settable', place] : ['projects', index, 'settable', place];
    return problem === null ? [] : [file.problemAt(path, problem)];
  });
}

/** Where a key of `preview` was set: in the project, in the defaults, or nowhere. */
function placeOf(
  index: number,
  project: ProjectInput,
  defaults: ProjectSettings,
  key: 'cluster' | 'name',
): PropertyKey[] {
  if (project.preview?.[key] !== undefined) return ['projects', index, 'preview', key];
  return defaults.preview?.[key] === undefined ? ['projects', index] : ['defaults', 'preview', key];
}

/** A webhook that nothing verifies could be anyone's. */
function checkWebhooks(
  file: YamlFile,
  gitlab: { webhookSecret?: string[] | undefined; signingToken?: string[] | undefined } | null,
  projects: Numbered<ProjectInput>[],
  defaults: ProjectSettings,
): ConfigProblem[] {
  if (gitlab === null || gitlab.webhookSecret !== undefined || gitlab.signingToken !== undefined) return [];
  if (defaults.webhookSecret !== undefined) return [];
  const without = projects.find(([, project]) => project.webhookSecret === undefined);
  if (without === undefined) return [];
  const message = `has neither \`webhookSecret\` nor \`signingToken\`, and projects[${without[0]}] has no \`webhookSecret\` of its own, so that its webhooks could not be verified. Add one.`;
  return [file.problemAt(['gitlab'], message, 'key')];
}

const portsSchema = z.object({
  listen: z.object({
    port: z.number().default(8080),
    metricsPort: z.number().default(9090),
    dashboardPort: z.number().default(8081),
  }),
});

function checkPorts(file: YamlFile): ConfigProblem[] {
  const parsed = portsSchema.safeParse(file.value);
  if (!parsed.success) return [];
  const seen = new Map<number, string>();
  return Object.entries(parsed.data.listen).flatMap(([key, port]) => {
    const before = seen.get(port);
    seen.set(port, key);
    // 0 is "any free port", which is never the same one twice.
    if (before === undefined || port === 0) return [];
    return [file.problemAt(['listen', key], `is ${port}, as \`listen.${before}\` is. Each needs its own.`)];
  });
}

const branchSchema = z.object({ branch: z.object({ repository: z.string(), token: z.string() }) });

/** A token of Git is sent over HTTPS or to this machine alone; anything else would fail at the first fetch. */
export function checkBranchToken(file: YamlFile): ConfigProblem[] {
  const parsed = branchSchema.safeParse(file.value);
  if (!parsed.success || !isClearText(parsed.data.branch.repository)) return [];
  return [file.problemAt(['branch', 'repository'], tokenInClear)];
}
