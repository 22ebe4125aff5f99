import { createHash } from 'node:crypto';
import { canonicalJson } from '../../application/canonical-json.js';
import type { MergeRequestFacts } from '../../preview/facts.js';
import type { Preview } from '../../preview/preview.js';
import { compileTemplate } from './compile-template.js';
import type { RenderMember, RenderProject } from './context.js';
import { type RenderedFile, renderApplication } from './render-application.js';
import { templateFailed } from './template-errors.js';
import { createTemplates, type TemplatesDeps } from './templates.js';

export interface RendererDeps extends TemplatesDeps {
  /** What the configuration says now; null: it does not name the project any more. */
  project(name: string): RenderProject | null;
}

interface RenderRequest {
  installation: string;
  preview: Preview;
  facts: MergeRequestFacts;
  /** Templates of the branch: blobs by file name. */
  templates: ReadonlyMap<string, string>;
  /** The other members of a linked preview. Default: none. */
  others?: readonly RenderMember[];
  /** Tried in place of what holds: the text of a template, and values over the configured ones. Default: nothing is. */
  trial?: { template: string | null; values: Readonly<Record<string, unknown>> };
}

export interface Renderer {
  /** The file of one preview. Throws `template-invalid`, `template-failed`. */
  render(request: RenderRequest): Promise<RenderedFile>;
  /**
   * What the files of a project are made with now: its template and all that the configuration says of them. A file
   * that was made with another one is rendered again. null: the configuration does not name the project.
   */
  fingerprint(project: string, templates: ReadonlyMap<string, string>): string | null;
}

/** Raised when the manager itself begins to write something else into the same file. */
const layout = 1;

/** Renders files with the templates of the branch, or the built-in one. */
export function createRenderer(deps: RendererDeps, builtIn: string): Renderer {
  const templates = createTemplates(deps, builtIn);
  return {
    async render(request) {
      const { preview, trial } = request;
      const configured = deps.project(preview.project);
      if (configured === null) {
        throw templateFailed('of the project', preview.slug, `project ${preview.project} is not in the configuration`);
      }
      const project = { ...configured, values: { ...configured.values, ...trial?.values } };
      const template =
        typeof trial?.template === 'string'
          ? compileTemplate('under trial', trial.template, false)
          : await templates.templateFor(project, request.templates);
      return renderApplication(template, { ...request, project });
    },
    fingerprint(name, branch) {
      const project = deps.project(name);
      if (project === null) return null;
      const made = { layout, template: templates.identityFor(project, branch), project };
      return createHash('sha256').update(canonicalJson(made)).digest('hex');
    },
  };
}
