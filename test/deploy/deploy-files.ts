import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';

export interface DeployObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [key: string]: unknown };
  [key: string]: unknown;
}

/** The documents of a YAML file below `deploy/`; throws when it is not YAML. */
export async function readDocuments(path: string): Promise<DeployObject[]> {
  const documents = parseAllDocuments(await readFile(`deploy/${path}`, 'utf8'));
  return [...documents].map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as DeployObject;
  });
}

export interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

export async function agentRules(): Promise<Rule[]> {
  const documents = await readDocuments('agent/cluster-role.yaml');
  const role = documents.find((each) => each.kind === 'ClusterRole');
  return (role?.rules ?? []) as Rule[];
}

/** Verbs that the agent has for a resource. */
export function verbsFor(rules: readonly Rule[], group: string, resource: string): string[] {
  return rules
    .filter((rule) => rule.apiGroups.includes(group) && rule.resources.includes(resource))
    .flatMap((rule) => rule.verbs);
}
