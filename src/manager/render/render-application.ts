import { annotate } from '../../application/annotate.js';
import { printApplication } from '../../application/file.js';
import { parseDocuments } from '../../application/parse.js';
import { revisionOf } from '../../application/revision.js';
import { parseRendered } from '../../application/validate.js';
import { isAppError } from '../../error/app-error.js';
import { formatDuration } from '../../preview/duration.js';
import { isFork } from '../../preview/follow.js';
import type { Template } from './compile-template.js';
import {
  type ContextInput,
  neutralContext,
  ownMember,
  type RenderProject,
  templateContext,
  urlOfPreview,
} from './context.js';
import { templateFailed } from './template-errors.js';

export interface RenderInput extends ContextInput {
  /** Random id of the installation. */
  installation: string;
}

export interface RenderedFile {
  /** What goes into Git. */
  text: string;
  /** Its fingerprint. */
  revision: string;
  /** Where the preview can be opened once that file is deployed; null: it has no link. */
  url: string | null;
}

/** Longest output that is looked at; what a file may be is checked again when it is parsed. */
const maxLength = 256 * 1024;

/**
 * The file of one preview. Throws `template-failed`, with a sentence for people, when the template cannot be rendered
 * or its result is not exactly the Application that is expected.
 *
 * No time limit is needed: a template was checked to have a bounded output, and every text and list of the context is
 * bounded.
 */
export function renderApplication(template: Template, input: RenderInput): RenderedFile {
  const { preview, project } = input;
  const context = templateContext(input);
  const text = run(template, preview.slug, context);
  const expected = {
    name: preview.slug,
    cluster: preview.cluster,
    namespace: preview.namespace,
    repositories: [repositoryOf(template, input)],
    projects: null,
  };
  const url = urlOfPreview(input);
  const application = refusals(template, preview.slug, () => parseRendered(text, expected));
  if (!template.isBuiltIn) refuseForeignStructure(template, preview.slug, text, context);
  const annotated = annotate(application, {
    installation: input.installation,
    incarnation: preview.incarnation,
    mergeRequest: mergeRequestsOf(input),
    sourceRef: sourceRefOf(input),
    sourceBranch: project.linked === undefined ? undefined : input.facts.sourceBranch,
    url: url ?? undefined,
    asleep: preview.wantAsleep,
    resources: resourcesOf(project.resources),
    secrets: secretsOf(input),
    probe: url === null ? undefined : probeAnnotation(project.probe),
    redeployed: preview.redeployedAt === null ? undefined : new Date(preview.redeployedAt).toISOString(),
  });
  return { text: printApplication(annotated), revision: revisionOf(annotated), url };
}

/** Such as `acme/shop!42`; of a linked preview each of them. */
function mergeRequestsOf({ preview, facts, project }: RenderInput): string {
  const { linked } = project;
  if (linked === undefined) return `${project.path}!${facts.iid}`;
  const references = preview.members.flatMap(({ projectId, iid }) => {
    const path = linked.find((each) => each.projectId === projectId)?.path;
    return iid === null || path === undefined ? [] : [`${path}!${iid}`];
  });
  return references.join(' ');
}

/** What a target branch has is found there by its id. */
function sourceRefOf(input: RenderInput): string | undefined {
  const iid = ownMember(input)?.iid ?? null;
  return input.project.source.fixed === null && iid !== null ? `refs/merge-requests/${iid}/head` : undefined;
}

/** JSON, as the agent reads it. Without a URL there is nothing to ask. */
function probeAnnotation(probe: RenderInput['project']['probe']): string | undefined {
  if (probe === undefined) return undefined;
  return JSON.stringify({ path: probe.path, expect: probe.expect, within: formatDuration(probe.withinMs) });
}

/** Always in the same order: the text is part of the revision. */
function resourcesOf({ cpu, memory, pods }: NonNullable<RenderProject['resources']> = {}): string | undefined {
  const text = JSON.stringify({ cpu, memory, pods });
  return text === '{}' ? undefined : text;
}

/** Whoever may push to the source project reads them: one that is another's, or unknown, gets none that is not for forks. */
function secretsOf(input: RenderInput): string | undefined {
  const isOpen = !runsFork(input);
  const names = (input.project.secrets ?? []).filter(({ forks }) => forks || isOpen).map(({ copy }) => copy);
  return names.length === 0 ? undefined : JSON.stringify(names);
}

/** Whether any part of it is what somebody pushed to a fork: then all of it has the trust of a fork. */
function runsFork({ preview, project, facts }: RenderInput): boolean {
  return project.linked === undefined ? isFork(facts) : preview.members.some(({ fork }) => fork === true);
}

/** The one repository that the file may name. What a fork runs comes from the target project, or a place named for it. */
function repositoryOf(template: Template, input: RenderInput): string {
  const { preview, project } = input;
  const repository = project.source.fixed?.repository ?? project.cloneUrl;
  const isOpen = repository === project.cloneUrl || project.forkRepositories?.includes(repository) === true;
  if (runsFork(input) && !isOpen) {
    const whose = project.linked === undefined ? 'its merge request' : 'a merge request of it';
    const problem = `${whose} comes from a fork, which may not be deployed from ${repository}; name it in \`follow.forkRepositories\``;
    throw templateFailed(template.name, preview.slug, problem);
  }
  return repository;
}

function run(template: Template, slug: string, context: Record<string, unknown>): string {
  let text: string;
  try {
    text = template.render(context);
  } catch (error) {
    // Handlebars and the helpers throw plain errors that name what is missing and its line.
    if (!(error instanceof Error)) throw error;
    const words = error.message.split('\n', 1)[0] ?? '';
    const problem = error instanceof TypeError ? `it uses a part of something that does not exist (${words})` : words;
    throw templateFailed(template.name, slug, problem, error);
  }
  if (text.length > maxLength)
    throw templateFailed(template.name, slug, `its result is longer than ${maxLength} characters`);
  return text;
}

/** A stranger's text must never change structure: the file has the same shape with harmless texts in their place. */
function refuseForeignStructure(
  template: Template,
  slug: string,
  text: string,
  context: Record<string, unknown>,
): void {
  const harmless = run(template, slug, neutralContext(context));
  const same = refusals(template, slug, () => shape(parseDocuments(text)) === shape(parseDocuments(harmless)));
  if (!same) throw templateFailed(template.name, slug, "a text of the merge request changes the file's structure");
}

function shape(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'string' ? '' : item));
}

function refusals<T>(template: Template, slug: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (isAppError(error)) throw templateFailed(template.name, slug, error.publicMessage, error);
    throw error;
  }
}
