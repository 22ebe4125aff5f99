import type { MergeRequestFacts } from '../../preview/facts.js';
import { branchSlug } from '../../preview/naming.js';
import type { Member, Preview } from '../../preview/preview.js';

/** What the configuration says of a project, as far as its files depend on it. */
export interface RenderProject {
  name: string;
  /** Such as `acme/shop`. */
  path: string;
  /** Address of the target project's repository. */
  cloneUrl: string;
  /** Name of its template, `application` unless configured. */
  template: string;
  source: { path: string; recurse: boolean; fixed: { repository: string; revision: string } | null };
  /** Its texts may hold `{{shortSha}}` and the other names that may stand bare. */
  values: Record<string, unknown>;
}

export interface ContextInput {
  preview: Preview;
  facts: MergeRequestFacts;
  project: RenderProject;
}

/** Names that a template may use bare: their values are made of letters, digits and dashes alone. */
export const bareNames: readonly string[] = [
  'slug',
  'namespace',
  'project',
  'cluster',
  'iid',
  'sha',
  'shortSha',
  'branchSlug',
];

/** Limits of what strangers write: nothing that a person reads is longer. */
const maxText = 1000;
const maxLabels = 100;
const maxLabel = 255;

/** All that a template can name. Every text of a stranger is clean and bounded, and no object has a prototype of use. */
export function templateContext(input: ContextInput): Record<string, unknown> {
  const { preview, facts, project } = input;
  const sha = wantedSha(preview, facts);
  const bare = {
    slug: preview.slug,
    namespace: preview.namespace,
    project: project.name,
    cluster: preview.cluster,
    iid: facts.iid,
    sha,
    shortSha: sha.slice(0, 8),
    branchSlug: branchSlug(facts.sourceBranch),
  };
  return {
    ...bare,
    url: preview.url,
    targetBranchSlug: branchSlug(facts.targetBranch),
    asleep: preview.phase === 'asleep',
    mr: mergeRequest(facts, project),
    source: {
      repository: project.source.fixed?.repository ?? project.cloneUrl,
      revision: project.source.fixed?.revision ?? sha,
      path: project.source.path,
      recurse: project.source.recurse,
    },
    values: filled(project.values, bare),
    members: { [project.name]: { sha, shortSha: bare.shortSha, iid: facts.iid, branchSlug: bare.branchSlug } },
  };
}

/** The same context with a stranger's texts replaced by harmless ones: what the file's structure is compared with. */
export function neutralContext(context: Record<string, unknown>): Record<string, unknown> {
  return { ...context, mr: neutral(context.mr) };
}

function mergeRequest(facts: MergeRequestFacts, project: RenderProject) {
  return {
    iid: facts.iid,
    title: clean(facts.title, maxText),
    author: clean(facts.authorUsername, maxLabel),
    webUrl: clean(facts.webUrl, maxText),
    cloneUrl: project.cloneUrl,
    labels: facts.labels.slice(0, maxLabels).map((label) => clean(label, maxLabel)),
    sourceBranch: clean(facts.sourceBranch, maxLabel),
    targetBranch: clean(facts.targetBranch, maxLabel),
    draft: facts.draft,
    fork: facts.sourceProjectId !== facts.projectId,
  };
}

function wantedSha(preview: Preview, facts: MergeRequestFacts): string {
  const own = preview.members.find(
    (member: Member) => member.projectId === facts.projectId && member.iid === facts.iid,
  );
  if (own?.wantedSha === null || own === undefined) {
    throw new Error(`preview ${preview.slug}#${preview.incarnation} has no wanted sha`);
  }
  return own.wantedSha;
}

/** `{{shortSha}}` and its like inside the texts of configured values. */
function filled(value: unknown, bare: Record<string, string | number>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) =>
      Object.hasOwn(bare, name) ? String(bare[name]) : whole,
    );
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, bare));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, bare)]));
}

function neutral(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? '' : 'x';
  if (Array.isArray(value)) return value.map(neutral);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, neutral(item)]));
}

/** One line without control and direction characters, cut to a number of characters, never inside a pair. */
function clean(text: string, maxLength: number): string {
  // Cut first: a megabyte of it is not worth a pass of the expressions.
  const plain = text
    .slice(0, maxLength * 4)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, '')
    .trim();
  return Array.from(plain).slice(0, maxLength).join('');
}
