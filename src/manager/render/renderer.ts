import type { MergeRequestFacts } from '../../preview/facts.js';
import type { Preview } from '../../preview/preview.js';
import type { RenderProject } from './context.js';
import { type RenderedFile, renderApplication } from './render-application.js';
import { templateFailed } from './template-errors.js';
import { createTemplates, type TemplatesDeps } from './templates.js';

export interface RendererDeps extends TemplatesDeps {
  /** What the configuration says now; null: it does not name the project any more. */
  project(name: string): RenderProject | null;
}

export interface RenderRequest {
  installation: string;
  preview: Preview;
  facts: MergeRequestFacts;
  /** Templates of the branch: blobs by file name. */
  templates: ReadonlyMap<string, string>;
}

/** Renders files with the templates of the branch, or the built-in one. Throws `template-invalid`, `template-failed`. */
export function createRenderer(deps: RendererDeps, builtIn: string): (request: RenderRequest) => Promise<RenderedFile> {
  const templates = createTemplates(deps, builtIn);
  return async (request) => {
    const { preview } = request;
    const project = deps.project(preview.project);
    if (project === null) {
      throw templateFailed('of the project', preview.slug, `project ${preview.project} is not in the configuration`);
    }
    const template = await templates.templateFor(project, request.templates);
    return renderApplication(template, { ...request, project });
  };
}
