import type { MergeRequestFacts } from '../../preview/facts.js';
import { branchSlug, urlFrom } from '../../preview/naming.js';
import type { Member, Preview } from '../../preview/preview.js';
import { cleanText } from './clean-text.js';

/** What the configuration says of a project, as far as its files depend on it; all of it is part of the fingerprint. */
export interface RenderProject {
  name: string;
  /** Such as `acme/shop`. */
  path: string;
  /** Address of the target project's repository. */
  cloneUrl: string;
  /** Name of its template, `application` unless configured. */
  template: string;
  /** Such as `https://{{slug}}.preview.example.com`; null: previews have no link. */
  url: string | null;
  source: {
    path: string;
    recurse: boolean;
    /** Name of a Helm chart in `fixed.repository`, whose `revision` is its version then; null: a folder. */
    chart: string | null;
    fixed: { repository: string; revision: string } | null;
  };
  /** What the agent is to ask of the preview's URL before it is ready; absent: nothing. */
  probe?: { path: string; expect: number; withinMs: number };
  /** Repositories that the preview of a fork may be deployed from, beside `cloneUrl`. Default: none. */
  forkRepositories?: readonly string[];
  /** Its texts may hold `{{shortSha}}` and the other names that may stand bare. */
  values: Record<string, unknown>;
  /** What each namespace may take at most; absent: what the agent's own configuration says. */
  resources?: { cpu?: string; memory?: string; pods?: number };
  /** Secrets that are copied into each namespace. Default: none. */
  secrets?: readonly { copy: string; forks: boolean }[];
  /** Of a group: its projects, the first of which is deployed from `cloneUrl`. Absent: it is one project. */
  linked?: readonly { projectId: number; name: string; path: string }[];
}

/** One service of a preview: what it runs, by the name of its project in the configuration. */
export interface RenderMember {
  project: string;
  sha: string;
  /** null: no merge request of its own takes part, its target branch runs. */
  iid: number | null;
  branchSlug: string;
}

export interface ContextInput {
  preview: Preview;
  facts: MergeRequestFacts;
  project: RenderProject;
  /** The other members of a linked preview; its own project is always one. Default: none. */
  others?: readonly RenderMember[];
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

/** All names that a template may use, with their parts; `any`: the configuration says which there are. */
export const contextShape: Readonly<Record<string, readonly string[] | 'any'>> = {
  ...Object.fromEntries(bareNames.map((name) => [name, []])),
  url: [],
  targetBranchSlug: [],
  asleep: [],
  mr: ['iid', 'title', 'author', 'webUrl', 'cloneUrl', 'labels', 'sourceBranch', 'targetBranch', 'draft', 'fork'],
  source: ['repository', 'revision', 'path', 'chart', 'recurse'],
  values: 'any',
  members: 'any',
};

/** Limits of what strangers write: nothing that a person reads is longer. */
const maxText = 1000;
const maxLabels = 100;
const maxLabel = 255;

/** All that a template can name. Every text of a stranger is clean and bounded, and no object has a prototype of use. */
export function templateContext(input: ContextInput): Record<string, unknown> {
  const { preview, facts, project } = input;
  const sha = wantedSha(input);
  const bare = {
    slug: preview.slug,
    namespace: preview.namespace,
    project: project.name,
    cluster: preview.cluster,
    iid: facts.iid,
    sha,
    shortSha: shortened(sha),
    branchSlug: branchSlug(facts.sourceBranch),
  };
  const own = { project: project.name, sha, iid: facts.iid, branchSlug: bare.branchSlug };
  return {
    ...bare,
    url: urlOfPreview(input),
    targetBranchSlug: branchSlug(facts.targetBranch),
    asleep: preview.wantAsleep,
    mr: mergeRequest(facts, project),
    source: sourceOf(project, sha),
    // What a person set is theirs to the letter: nothing in it is filled in.
    values: { ...filledGroup(project.values, bare), ...preview.setValues },
    members: membersOf(project.linked === undefined ? [...(input.others ?? []), own] : linkedMembers(input)),
  };
}

/** Where the preview can be opened by the configuration as it is now; null: it has no link. */
export function urlOfPreview({ preview, facts, project }: ContextInput): string | null {
  if (project.url === null) return null;
  const { slug, namespace } = preview;
  const names = {
    project: project.name,
    group: project.name,
    iid: String(facts.iid),
    branchSlug: branchSlug(facts.sourceBranch),
  };
  return urlFrom(project.url, { ...names, slug, namespace });
}

/**
 * The same context with a harmless text in place of each that a stranger chose: what the file's structure is compared
 * with. A branch, and whatever is named after it, is a stranger's too: `1e3` must not become a number.
 */
export function neutralContext(context: Record<string, unknown>): Record<string, unknown> {
  const { slug, namespace, sha, shortSha, branchSlug: branch, targetBranchSlug, url, mr, members } = context;
  const foreign = { slug, namespace, sha, shortSha, branchSlug: branch, targetBranchSlug, url, mr, members };
  return { ...context, ...(neutral(foreign) as Record<string, unknown>) };
}

function shortened(sha: string): string {
  return sha.slice(0, 8);
}

function sourceOf({ source, cloneUrl }: RenderProject, sha: string) {
  return {
    repository: source.fixed?.repository ?? cloneUrl,
    revision: source.fixed?.revision ?? sha,
    path: source.chart === null ? source.path : null,
    chart: source.chart,
    recurse: source.recurse,
  };
}

function membersOf(members: readonly RenderMember[]): Record<string, unknown> {
  const entries = members.map(({ project, sha, iid, branchSlug: branch }) => {
    return [project, { sha, shortSha: shortened(sha), iid, branchSlug: branch }];
  });
  return Object.fromEntries(entries);
}

function mergeRequest(facts: MergeRequestFacts, project: RenderProject) {
  return {
    iid: facts.iid,
    title: cleanText(facts.title, maxText),
    author: cleanText(facts.authorUsername, maxLabel),
    webUrl: cleanText(facts.webUrl, maxText),
    cloneUrl: project.cloneUrl,
    labels: facts.labels.slice(0, maxLabels).map((label) => cleanText(label, maxLabel)),
    sourceBranch: cleanText(facts.sourceBranch, maxLabel),
    targetBranch: cleanText(facts.targetBranch, maxLabel),
    draft: facts.draft,
    fork: facts.sourceProjectId !== facts.projectId,
  };
}

/** The member whose repository is deployed: of a group that of its first project. */
export function ownMember({ preview, facts, project }: ContextInput): Member | undefined {
  const [first] = project.linked ?? [];
  return first === undefined
    ? preview.members.find(({ projectId, iid }) => projectId === facts.projectId && iid === facts.iid)
    : preview.members.find(({ projectId }) => projectId === first.projectId);
}

/** Of two merge requests of one project, which have one source branch, the older one is shown. */
function linkedMembers({ preview, facts, project }: ContextInput): RenderMember[] {
  return (project.linked ?? []).flatMap(({ projectId, name }) => {
    const member = preview.members.find((each) => each.projectId === projectId && each.wantedSha !== null);
    if (member === undefined || member.wantedSha === null) return [];
    const { wantedSha: sha, iid, branch = '' } = member;
    return [{ project: name, sha, iid, branchSlug: branchSlug(iid === null ? branch : facts.sourceBranch) }];
  });
}

function wantedSha(input: ContextInput): string {
  const { preview } = input;
  const own = ownMember(input);
  if (own?.wantedSha === null || own === undefined) {
    throw new Error(`preview ${preview.slug}#${preview.incarnation} has no wanted sha`);
  }
  return own.wantedSha;
}

type Bare = Record<string, string | number>;

function filledGroup(values: Record<string, unknown>, bare: Bare): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([key, item]) => [key, filled(item, bare)]));
}

/** `{{shortSha}}` and its like inside the texts of configured values. */
function filled(value: unknown, bare: Bare): unknown {
  if (typeof value === 'string') {
    return value.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) =>
      Object.hasOwn(bare, name) ? String(bare[name]) : whole,
    );
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, bare));
  if (typeof value !== 'object' || value === null) return value;
  return filledGroup(value as Record<string, unknown>, bare);
}

function neutral(value: unknown): unknown {
  if (typeof value === 'string') return value === '' ? '' : 'x';
  if (Array.isArray(value)) return value.map(neutral);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, neutral(item)]));
}
