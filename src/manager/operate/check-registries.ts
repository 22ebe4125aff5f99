import { parseImage, renderImage } from '../../preview/image-reference.js';
import { type Check, ok, skipped } from './check-result.js';

/** Image registries. Errors are AppErrors in words for people. */
export interface RegistryProbes {
  /** Tries a listed host as the image gate would; see `tryRegistry`. */
  reach(input: {
    host: string;
    repositories: readonly string[];
    signal: AbortSignal;
  }): Promise<'reads' | 'signed-in' | 'open' | 'asks' | 'other'>;
  /** Asks GitLab's own registry, through GitLab's API. */
  readOwn(input: { projectId: number; repository: string; signal: AbortSignal }): Promise<void>;
}

/** An entry of `gate.image`, and the project whose commits it is of. */
export interface ImageTemplate {
  project: string;
  template: string;
}

interface RegistryInput {
  /** Hosts of `registries`, and whether a user is configured for each. */
  hosts: readonly { host: string; hasUser: boolean }[];
  /** `gitlab.registry`; null: there is none. */
  own: string | null;
  templates: readonly ImageTemplate[];
  /** Names of projects by their id, as far as GitLab has shown them by the time of the check. */
  projectIds: ReadonlyMap<number, string>;
}

/** One check for each registry of the configuration: that it is reached, and that its images could be looked for. */
export function registryChecks(probes: RegistryProbes, input: RegistryInput): Check[] {
  const { hosts, own, templates } = input;
  const listed = hosts.map(({ host, hasUser }) => ({
    name: `registry ${host}`,
    async run(signal: AbortSignal) {
      const repositories = [...new Set(repositoriesOf(host, templates).map(({ repository }) => repository))];
      const reach = await probes.reach({ host, repositories, signal });
      return ok(wordsFor(reach, repositories, hasUser));
    },
  }));
  return own === null ? listed : [...listed, ownCheck(probes, { ...input, own })];
}

function wordsFor(
  reach: Awaited<ReturnType<RegistryProbes['reach']>>,
  repositories: readonly string[],
  hasUser: boolean,
): string {
  const unused = 'No `gate.image` names a repository of it.';
  switch (reach) {
    case 'reads':
      return `Reached; ${repositories.join(', ')} may be read${hasUser ? ' by the configured user' : ''}.`;
    case 'signed-in':
      return `Reached, and it takes the configured user. ${unused}`;
    case 'open':
      return `Reached; it asks nobody to sign in. ${unused}`;
    case 'asks':
      return `Reached; it asks for a user, and none is configured. ${unused}`;
    case 'other':
      return `Reached; it gives out tokens at most, for it does not speak the distribution API. ${unused}`;
    default:
      return reach satisfies never;
  }
}

function ownCheck(probes: RegistryProbes, { own, templates, projectIds }: RegistryInput & { own: string }): Check {
  return {
    name: `registry ${own}`,
    async run(signal) {
      const idOf = new Map([...projectIds].map(([id, name]) => [name, id]));
      const asked = repositoriesOf(own, templates).flatMap(({ project, repository }) => {
        const projectId = idOf.get(project);
        return projectId === undefined ? [] : [{ projectId, repository }];
      });
      if (asked.length === 0)
        return skipped("It is GitLab's own, and no image of a project that GitLab shows is in it.");
      for (const each of asked) await probes.readOwn({ ...each, signal });
      const names = [...new Set(asked.map(({ repository }) => repository))].join(', ');
      return ok(`GitLab's own: its API tells of ${names}.`);
    },
  };
}

/** Repositories whose name is known without a merge request: what is named after a branch may not be there yet. */
function repositoriesOf(host: string, templates: readonly ImageTemplate[]): { project: string; repository: string }[] {
  return templates.flatMap(({ project, template }) => {
    const [one, other] = [1, 2].map((iid) => {
      const name = `mayfly-check-${iid}`;
      const image = renderImage(template, { slug: name, project, iid, sha: `${iid}`.repeat(40), sourceBranch: name });
      return image === null ? null : parseImage(image);
    });
    const isFixed = one != null && one.repository === other?.repository;
    return isFixed && one.host === host ? [{ project, repository: one.repository }] : [];
  });
}
