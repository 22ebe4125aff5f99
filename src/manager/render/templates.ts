import { createHash } from 'node:crypto';
import { isAppError } from '../../error/app-error.js';
import { compileTemplate, type Template } from './compile-template.js';
import type { RenderProject } from './context.js';
import { templateInvalid } from './template-errors.js';

export interface TemplatesDeps {
  /** Text of a template in the branch, by its blob. */
  readText(blob: string): Promise<string>;
}

type Branch = ReadonlyMap<string, string>;
type Wanted = Pick<RenderProject, 'name' | 'template'>;

export interface Templates {
  /**
   * The template of a project: `<project>.yml.hbs` of the branch, else the one of the configured name there, else the
   * built-in. Throws `template-invalid`, for this project alone.
   */
  templateFor(project: Wanted, branch: Branch): Promise<Template>;
  /** What tells that template from every other: its file and content; it need not be read or sound for that. */
  identityFor(project: Wanted, branch: Branch): string;
}

/** Compiled templates that are kept: those of one branch, and of a few changes of it. */
const maxKept = 200;

/** Templates of the branch, each read and checked once for each of its contents. */
export function createTemplates(deps: TemplatesDeps, builtIn: string): Templates {
  const fallback = compileTemplate('application (built in)', builtIn, true);
  const builtInHash = createHash('sha256').update(builtIn).digest('hex');
  const kept = new Map<string, Template | Error>();

  async function compiled(fileName: string, blob: string): Promise<Template> {
    const key = `${blob} ${fileName}`;
    let template = kept.get(key);
    if (template === undefined) {
      template = compileOrError(fileName, await deps.readText(blob));
      if (kept.size >= maxKept) kept.clear();
      kept.set(key, template);
    }
    if (template instanceof Error) throw template;
    return template;
  }

  return {
    templateFor: async (project, branch) => {
      const chosen = chosenFile(project, branch);
      if (chosen !== null) return compiled(chosen.fileName, chosen.blob);
      if (project.template === 'application') return fallback;
      throw templateInvalid(`${project.template}.yml.hbs`, null, 'it is not in the templates folder of the branch');
    },
    identityFor: (project, branch) => {
      const chosen = chosenFile(project, branch);
      if (chosen !== null) return `${chosen.fileName} ${chosen.blob}`;
      return project.template === 'application' ? `built in ${builtInHash}` : 'missing';
    },
  };
}

/** The project's own file of the branch, else the configured one; null: there is neither. */
function chosenFile(project: Wanted, branch: Branch): { fileName: string; blob: string } | null {
  for (const fileName of [`${project.name}.yml.hbs`, `${project.template}.yml.hbs`]) {
    const blob = branch.get(fileName);
    if (blob !== undefined) return { fileName, blob };
  }
  return null;
}

function compileOrError(fileName: string, text: string): Template | Error {
  try {
    return compileTemplate(fileName, text, false);
  } catch (error) {
    if (isAppError(error, 'template-invalid')) return error;
    throw error;
  }
}
