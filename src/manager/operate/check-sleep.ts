import type { ProjectConfig } from '../../config/manager-config.js';
import { isAppError } from '../../error/app-error.js';
import { type Check, ok, skipped, warning } from './check-result.js';

/** Tells of the template that a project's or a group's previews are made with; rejects when it cannot be compiled. */
export type TemplateOf = (
  project: { name: string; template: string },
  signal: AbortSignal,
) => Promise<{ name: string; usesAsleep: boolean }>;

type Sleeper = Pick<ProjectConfig, 'name' | 'preview' | 'lifetime'>;

/** What to write, in one line; it is a template that loads. */
export const asleepExample = 'replicaCount: {{#if asleep}}0{{else}}1{{/if}}';

/**
 * Who puts the previews of a project or a group to sleep, where its configuration says that they sleep: without a word of
 * it in the template, Mayfly's own agent alone does. No check for those that never sleep by themselves.
 */
export function sleepChecks(templateOf: TemplateOf, { name, preview, lifetime }: Sleeper): Check[] {
  if (lifetime.sleep.afterMs === null && lifetime.sleep.awake === null) return [];
  return [
    {
      name: `sleep of ${name}`,
      async run(signal) {
        const template = await found(templateOf, { name, template: preview.template }, signal);
        if (template === null) return skipped('Not known while its template cannot be read.');
        if (template.usesAsleep) return ok(`The template ${template.name} says what \`asleep\` means.`);
        return warning(
          `The template ${template.name} never uses \`asleep\`, so that only Mayfly's own agent puts these previews to sleep.`,
          `Where Argo CD or Flux deploys them, write into the template what asleep means, such as \`${asleepExample}\` among the values of a chart.`,
        );
      },
    },
  ];
}

/** A template that cannot be read or compiled is told of by its own check. */
async function found(
  templateOf: TemplateOf,
  project: { name: string; template: string },
  signal: AbortSignal,
): Promise<{ name: string; usesAsleep: boolean } | null> {
  try {
    return await templateOf(project, signal);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return null;
  }
}
