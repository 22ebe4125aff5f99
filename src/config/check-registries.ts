import { z } from 'zod';
import { imageHost } from './gate-schema.js';
import type { ConfigProblem } from './problem.js';
import type { YamlFile } from './yaml-file.js';

const images = z.object({ gate: z.object({ image: z.array(z.unknown()) }) });
const fileSchema = z.object({
  gitlab: z.object({ registry: z.string().optional() }).catch({}),
  registries: z.array(z.unknown()).catch([]),
  defaults: z.unknown().optional(),
  projects: z.array(z.unknown()).catch([]),
  groups: z.array(z.unknown()).catch([]),
});
const entrySchema = z.object({ host: z.string() });

/** Images are looked for in listed registries alone: one of another host could never be found. */
export function checkImageHosts(file: YamlFile): ConfigProblem[] {
  const parsed = fileSchema.safeParse(file.value);
  if (!parsed.success) return [];
  const { gitlab, registries, defaults, projects, groups } = parsed.data;
  const known = new Set(gitlab.registry === undefined ? [] : [gitlab.registry.toLowerCase()]);
  for (const entry of registries) {
    const host = entrySchema.safeParse(entry);
    if (host.success) known.add(host.data.host.toLowerCase());
  }
  const places: [PropertyKey[], unknown][] = [
    [['defaults'], defaults],
    ...projects.map((project, index): [PropertyKey[], unknown] => [['projects', index], project]),
    ...groups.map((group, index): [PropertyKey[], unknown] => [['groups', index], group]),
  ];
  return places.flatMap(([path, settings]) => {
    const found = images.safeParse(settings);
    return found.success ? unknownHosts(file, [...path, 'gate', 'image'], found.data.gate.image, known) : [];
  });
}

function unknownHosts(
  file: YamlFile,
  path: PropertyKey[],
  templates: readonly unknown[],
  known: ReadonlySet<string>,
): ConfigProblem[] {
  return templates.flatMap((template, index) => {
    const host = typeof template === 'string' ? imageHost(template) : null;
    if (host === null || known.has(host)) return [];
    const message = `names the registry ${host}, which is not listed. Add it to \`registries\`, or as \`gitlab.registry\` if it is GitLab's own.`;
    return [file.problemAt([...path, index], message)];
  });
}
