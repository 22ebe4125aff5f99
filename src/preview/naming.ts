import type { MergeRequestFacts } from './facts.js';
import type { Policy } from './policy.js';

/** Longest name of a Kubernetes namespace (RFC 1123 label). */
const maxLabelLength = 63;

/** What may stand in `preview.name`. */
export const nameVariables = ['project', 'iid', 'branchSlug'] as const;

/** What may stand in `preview.name` of a group. */
export const groupNameVariables = ['group', 'branchSlug'] as const;

/** What may stand in `preview.url` of a group. */
export const groupUrlVariables = ['slug', 'namespace', 'group', 'branchSlug'] as const;

/** What may stand in `preview.url`. */
export const urlVariables = ['slug', 'namespace', 'project', 'iid', 'branchSlug'] as const;

/** What is known of one possible slug; see `slugCandidates`. */
export interface SlugClaim {
  slug: string;
  /** A preview of another subject that is not stopped has it, or a file that is not ours stands at its path. */
  taken: boolean;
  /** The highest incarnation that ever had this slug, of any subject; 0 when there was none. */
  lastIncarnation: number;
}

/** GitLab's CI_COMMIT_REF_SLUG, exactly: `a/b` and `a-b` give the same one. */
export function branchSlug(branch: string): string {
  return Array.from(branch.toLowerCase())
    .map((character) => (/^[a-z0-9]$/.test(character) ? character : '-'))
    .slice(0, maxLabelLength)
    .join('')
    .replace(/^-+|-+$/g, '');
}

/** Names of the variables in a template of `{{name}}` placeholders, as written; for the check of a configuration. */
export function templateVariables(template: string): string[] {
  return [...template.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)].map((match) => match[1] ?? '');
}

/** The possible slugs of a merge request's preview, the first choice first; the later ones are for when it is taken. */
export function slugCandidates(policy: Policy, facts: Pick<MergeRequestFacts, 'projectId' | 'iid' | 'sourceBranch'>) {
  const maxLength = maxLabelLength - policy.namespacePrefix.length;
  const own = `${policy.project}-${facts.iid}`;
  const named = label(fill(policy.nameTemplate, nameValues(policy, facts)), maxLength);
  // A branch name without a single letter or digit of ASCII leaves nothing of `{{branchSlug}}`.
  const first = named === '' ? label(own, maxLength) : named;
  const suffixed = [`-${label(own, maxLength)}`, `-${facts.projectId}-${facts.iid}`].map((suffix) =>
    suffix.length < maxLength ? `${label(first, maxLength - suffix.length)}${suffix}` : null,
  );
  return [...new Set([first, ...suffixed.filter((slug) => slug !== null)])];
}

/** The same of a linked preview: `suffix` tells its subject from every other. */
export function linkedSlugs(policy: Policy, linked: { branch: string; suffix: string }): string[] {
  const maxLength = maxLabelLength - policy.namespacePrefix.length;
  const values = { group: policy.project, branchSlug: branchSlug(linked.branch) };
  const named = label(fill(policy.nameTemplate, values), maxLength);
  const first = named === '' ? label(policy.project, maxLength) : named;
  const suffix = `-${linked.suffix}`;
  return [first, `${label(first, maxLength - suffix.length)}${suffix}`];
}

/** The claim to use: the slug that the subject had before while it may keep it, else the first that is not taken. */
export function chooseSlug(candidates: string[], claims: SlugClaim[], previous: string | null): SlugClaim | null {
  const order = previous !== null && candidates.includes(previous) ? [previous, ...candidates] : candidates;
  for (const slug of order) {
    const claim = claims.find((one) => one.slug === slug);
    if (claim !== undefined && !claim.taken) {
      return claim;
    }
  }
  return null;
}

export function namespaceOf(policy: Policy, slug: string): string {
  return `${policy.namespacePrefix}${slug}`;
}

/** Where the preview can be opened; null when the configuration has no `url`. */
export function urlOf(
  policy: Policy,
  slug: string,
  facts: Pick<MergeRequestFacts, 'iid' | 'sourceBranch'>,
): string | null {
  if (policy.urlTemplate === null) {
    return null;
  }
  return urlFrom(policy.urlTemplate, { ...nameValues(policy, facts), slug, namespace: namespaceOf(policy, slug) });
}

/** A URL template with its variables filled in. */
export function urlFrom(template: string, values: Record<(typeof urlVariables)[number], string>): string {
  return fill(template, values);
}

function nameValues(policy: Policy, facts: Pick<MergeRequestFacts, 'iid' | 'sourceBranch'>) {
  return {
    project: policy.project,
    group: policy.project,
    iid: String(facts.iid),
    branchSlug: branchSlug(facts.sourceBranch),
  };
}

/** An unknown variable leaves nothing: the configuration was checked before, and a brace would break a URL. */
export function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? '') : '',
  );
}

function label(text: string, maxLength: number): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .replace(/^-+/, '')
    .slice(0, Math.max(0, maxLength))
    .replace(/-+$/, '');
}
