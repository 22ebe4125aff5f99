import { privateName, type Workspace, type WorkspaceFile } from './workspace.js';

export interface HelmTemplate {
  files: readonly WorkspaceFile[];
  /** The chart's folder among them. */
  chart: string;
  releaseName: string;
  namespace: string;
  /** Paths among the files; a later one overrides an earlier. */
  valueFiles: readonly string[];
  /** Text of one more file of values, YAML or JSON, over those. */
  values: string | null;
  /** Over all files. */
  parameters: readonly { name: string; value: string; forceString: boolean }[];
  /** The content of a file among the files as a value. */
  fileParameters: readonly { name: string; path: string }[];
  skipCrds: boolean;
  skipTests: boolean;
  skipSchemaValidation: boolean;
  kubeVersion: string | null;
  apiVersions: readonly string[];
  signal: AbortSignal;
}

/** What `helm template` is called with, and the files that it finds. Every value stands in one word with its option. */
export function helmArguments(input: HelmTemplate): { args: string[]; files: WorkspaceFile[] } {
  const files = [...input.files];
  const args = ['template', `--name-template=${literalTemplate(input.releaseName)}`, `--namespace=${input.namespace}`];
  args.push(input.skipCrds ? '--skip-crds' : '--include-crds');
  if (input.skipTests) args.push('--skip-tests');
  if (input.skipSchemaValidation) args.push('--skip-schema-validation');
  if (input.kubeVersion !== null) args.push(`--kube-version=${input.kubeVersion}`);
  args.push(...input.apiVersions.map((version) => `--api-versions=${version}`));
  args.push(...input.valueFiles.map((path) => `--values=${comma(`./${path}`)}`));
  if (input.values !== null) {
    const path = privateName();
    files.push({ path, content: new TextEncoder().encode(input.values) });
    args.push(`--values=./${path}`);
  }
  for (const { name, value, forceString } of input.parameters) {
    args.push(`--set${forceString ? '-string' : ''}=${name}=${escapeCommas(value)}`);
  }
  args.push(...input.fileParameters.map(({ name, path }) => `--set-file=${name}=${escapeCommas(`./${path}`)}`));
  return { args: [...args, `./${input.chart}`], files };
}

export function helmEnvironment({ home }: Workspace): Record<string, string> {
  return {
    HELM_CACHE_HOME: `${home}/helm/cache`,
    HELM_CONFIG_HOME: `${home}/helm/config`,
    HELM_DATA_HOME: `${home}/helm/data`,
    HELM_PLUGINS: `${home}/helm/plugins`,
    HELM_NO_PLUGINS: '1',
    HELM_REGISTRY_CONFIG: `${home}/helm/registry.json`,
    HELM_REPOSITORY_CONFIG: `${home}/helm/repositories.yaml`,
    KUBECONFIG: `${home}/helm/kubeconfig`,
  };
}

/** Helm reads the name as a template of its own. */
function literalTemplate(name: string): string {
  return name.replaceAll('{', '');
}

/** Helm divides a list of files at commas; a quoted one stays whole. */
function comma(path: string): string {
  return path.includes(',') || path.includes('"') ? `"${path.replaceAll('"', '""')}"` : path;
}

/** As Argo CD does: a comma is part of the value, unless the value is a list in braces or escaped by its author. */
function escapeCommas(value: string): string {
  if (value.startsWith('{') && value.endsWith('}')) return value;
  return value.replace(/(?<!\\),/g, '\\,');
}
