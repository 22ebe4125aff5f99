import type { ProjectConfig } from '../../config/manager-config.js';
import { type Check, warning } from './check-result.js';

/** A word of warning for each project whose previews hold copies of secrets; none for the others. */
export function secretChecks({ path, secrets = [] }: Pick<ProjectConfig, 'path' | 'secrets'>): Check[] {
  if (secrets.length === 0) return [];
  const names = secrets.map(({ copy }) => copy).join(', ');
  const forks = secrets.filter(({ forks }) => forks).map(({ copy }) => copy);
  const advice =
    forks.length === 0
      ? 'Copy only what they may all know, such as a token that can pull images and nothing else.'
      : `Whoever may fork the project reads ${forks.join(', ')} as well: take out \`forks: true\` unless everybody may know it.`;
  return [
    {
      name: `secrets of ${path}`,
      run: async () => warning(`Every author of a followed merge request can read ${names}.`, advice),
    },
  ];
}
