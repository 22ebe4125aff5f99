import { templateVariables } from '../preview/naming.js';
import { text } from './fields.js';

/** Words that a project and a group differ in. */
export interface Naming {
  nameVariables: readonly string[];
  /** Of these the name needs one, for they tell previews apart. */
  telling: readonly string[];
  urlVariables: readonly string[];
  defaultName: string;
}

/** `preview.name`: only these variables, and one that tells merge requests apart. */
export function nameTemplate({ nameVariables: known, telling }: Naming) {
  return text().superRefine((value, context) => {
    const problem =
      unknownVariable(value, known) ??
      (templateVariables(value).some((name) => telling.includes(name))
        ? null
        : `gives every merge request the same name. Use ${telling.map((name) => `{{${name}}}`).join(' or ')} in it.`) ??
      (/^[a-z0-9-]*$/.test(value.replace(/\{\{[^{}]*\}\}/g, ''))
        ? null
        : 'may hold only a-z, 0-9 and - beside variables.');
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
}

/** `preview.url`: only these variables, and one that tells previews apart. */
export function urlTemplate({ urlVariables: known }: Naming) {
  return text().superRefine((value, context) => {
    const sample = value.replace(/\{\{[^{}]*\}\}/g, 'x');
    const problem =
      unknownVariable(value, known) ??
      (/^https?:\/\//.test(sample) && URL.canParse(sample)
        ? null
        : 'not a URL that begins with https:// (or http://).') ??
      (templateVariables(value).some((name) => name !== 'project' && name !== 'group')
        ? null
        : 'gives every preview the same link. Use {{slug}} in it.');
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });
}

function unknownVariable(template: string, known: readonly string[]): string | null {
  const rest = template.replace(/\{\{[^{}]*\}\}/g, '');
  if (/[{}]/.test(rest)) return 'has a brace that is no part of a variable such as {{iid}}.';
  const unknown = templateVariables(template).find((name) => !known.includes(name));
  if (unknown === undefined) return null;
  return `uses {{${unknown}}}, which is not known here. Known are ${known.map((name) => `{{${name}}}`).join(', ')}.`;
}
