import { z } from 'zod';
import type { GroupInput } from './group-schema.js';
import { type ManagerInput, managerSchema } from './manager-schema.js';
import type { ProjectInput, ProjectSettings } from './project-schema.js';

/** An entry of a list with its place in it. */
export type Numbered<T> = [number, T];

/** What of `mayfly.yaml` is right by itself, so that one mistake does not hide another. */
export interface ManagerParts {
  gitlab: ManagerInput['gitlab'] | null;
  defaults: ProjectSettings;
  projects: Numbered<ProjectInput>[];
  groups: Numbered<GroupInput>[];
  agents: Numbered<ManagerInput['agents'][number]>[];
  apiTokens: Numbered<ManagerInput['api']['tokens'][number]>[];
  registries: Numbered<ManagerInput['registries'][number]>[];
}

/** Reads each part on its own; what is wrong in itself is left out, for the schema has told it already. */
export function partsOf(value: unknown): ManagerParts {
  const { shape } = managerSchema;
  const api = Reflect.get(groupOf(value), 'api');
  return {
    gitlab: readPart(shape.gitlab, value, 'gitlab') ?? null,
    defaults: readPart(shape.defaults, value, 'defaults') ?? {},
    projects: readEach(shape.projects.element, value, 'projects'),
    groups: readEach(shape.groups.unwrap().element, value, 'groups'),
    agents: readEach(shape.agents.element, value, 'agents'),
    apiTokens: readEach(shape.api.unwrap().shape.tokens.unwrap().element, api, 'tokens'),
    registries: readEach(shape.registries.unwrap().element, value, 'registries'),
  };
}

const agentNames = z.object({ name: z.string(), namespacePrefix: z.string().catch('preview-') });

/** Names of the agents, also of those that are wrong otherwise: a project may still mean them. */
export function agentsOf(value: unknown): { name: string; namespacePrefix: string }[] {
  return readEach(agentNames, value, 'agents').map(([, agent]) => agent);
}

function readPart<T>(schema: z.ZodType<T>, value: unknown, key: string): T | undefined {
  const parsed = schema.safeParse(Reflect.get(groupOf(value), key));
  return parsed.success ? parsed.data : undefined;
}

function readEach<T>(schema: z.ZodType<T>, value: unknown, key: string): Numbered<T>[] {
  const list: unknown = Reflect.get(groupOf(value), key);
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index): Numbered<T>[] => {
    const parsed = schema.safeParse(item);
    return parsed.success ? [[index, parsed.data]] : [];
  });
}

function groupOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
