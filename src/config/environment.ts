import type { Environment } from './substitute.js';

/** What the `mayfly` command takes from the environment; every flag has precedence over it. */
export interface CommandEnvironment {
  /** `MAYFLY_URL`: the manager that verbs talk to. */
  url: string | null;
  /** `MAYFLY_TOKEN`: a token of `api.tokens`. */
  token: string | null;
  /** `MAYFLY_CONFIG`: path of the configuration file. */
  configFile: string | null;
  /** `KUBECONFIG`, for an agent outside a cluster. */
  kubeconfig: string | null;
  /** `PATH`: where `kustomize` and `helm` are looked for. */
  searchPath: string | null;
}

/** The sole place, beside the configuration files, where the process's environment is read. An empty variable is none. */
export function readEnvironment(environment: Environment = process.env): CommandEnvironment {
  const read = (name: string): string | null => {
    const value = environment[name]?.trim();
    return value === undefined || value === '' ? null : value;
  };
  return {
    url: read('MAYFLY_URL'),
    token: read('MAYFLY_TOKEN'),
    configFile: read('MAYFLY_CONFIG'),
    kubeconfig: read('KUBECONFIG'),
    searchPath: read('PATH'),
  };
}
