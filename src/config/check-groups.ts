import type { ManagerParts } from './manager-parts.js';
import { agentsOf } from './manager-parts.js';
import type { ConfigProblem } from './problem.js';
import type { YamlFile } from './yaml-file.js';

const maxLabelLength = 63;

/** What concerns groups and projects together: names that are unique among both, and projects that there are. */
export function checkGroups(
  file: YamlFile,
  parts: Pick<ManagerParts, 'groups' | 'projects' | 'defaults'>,
): ConfigProblem[] {
  const names = new Map(parts.projects.map(([index, project]) => [project.name, `projects[${index}]`]));
  const known = new Set(names.keys());
  const groupOf = new Map<string, string>();
  return parts.groups.flatMap(([index, group]) => {
    const problems: ConfigProblem[] = [];
    const taken = names.get(group.name);
    if (taken !== undefined) {
      problems.push(file.problemAt(['groups', index, 'name'], `the same as in ${taken}. Each needs its own.`));
    }
    names.set(group.name, `groups[${index}]`);
    for (const [place, project] of group.projects.entries()) {
      const before = groupOf.get(project);
      const problem = !known.has(project)
        ? `no project is called "${project}". Name projects as \`projects\` does.`
        : before !== undefined
          ? `is in ${before} already. A project belongs to one group.`
          : null;
      if (problem !== null) problems.push(file.problemAt(['groups', index, 'projects', place], problem));
      groupOf.set(project, `groups[${index}]`);
    }
    for (const [place, project] of group.forks.entries()) {
      if (group.projects.includes(project)) continue;
      const problem = `"${project}" is no project of this group. Name one of its \`projects\`.`;
      problems.push(file.problemAt(['groups', index, 'forks', place], problem));
    }
    return [...problems, ...checkCluster(file, index, group, parts.defaults)];
  });
}

function checkCluster(
  file: YamlFile,
  index: number,
  group: ManagerParts['groups'][number][1],
  defaults: ManagerParts['defaults'],
): ConfigProblem[] {
  const cluster = group.preview?.cluster ?? defaults.preview?.cluster ?? 'default';
  const agents = agentsOf(file.value);
  const agent = agents.find((each) => each.name === cluster);
  const path = ['groups', index, ...(group.preview?.cluster === undefined ? [] : ['preview', 'cluster'])];
  if (agents.length === 0) return [];
  if (agent === undefined) {
    const known = agents.map((each) => each.name).join(', ');
    return [
      file.problemAt(path, `no agent is called "${cluster}"; there is ${known}. Choose one, or add it to \`agents\`.`),
    ];
  }
  // With the suffix of a name that is taken, and at least one letter of the branch.
  const least = group.name.length + '-x-123456'.length;
  const most = maxLabelLength - agent.namespacePrefix.length;
  if (least <= most) return [];
  const message = `makes names of ${least} characters, and with the prefix ${agent.namespacePrefix} only ${most} fit into the name of a namespace. Shorten its name or the prefix.`;
  return [file.problemAt(['groups', index, 'name'], message)];
}
