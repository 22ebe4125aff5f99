import { type Application, annotation } from '../../application/application.js';
import { hasFile, transition } from '../../preview/lifecycle.js';
import type { Policy } from '../../preview/policy.js';
import type { Instant, Preview } from '../../preview/preview.js';
import { untouched } from '../../preview/untouched.js';

/** A file of the branch that is this installation's. */
export interface OwnFile {
  slug: string;
  incarnation: number;
  revision: string;
  blob: string;
  application: Application;
}

export interface RebuildInput {
  files: readonly OwnFile[];
  /** Rows of the database that have not ended. */
  living: readonly Preview[];
  /** What the configuration and GitLab say of a project's path; null: it is not followed. */
  projectAt(path: string): { projectId: number; policy: Policy } | null;
  /** What holds for the group that a project belongs to; null: it belongs to none. Absent: there are no groups. */
  groupAt?(path: string): { policy: Policy } | null;
  now: Instant;
}

export interface RebuildPlan {
  /** Rows whose incarnation is over; saved before the others. */
  ended: Preview[];
  /** Rows of the files, with the blob that stands in the branch. */
  rows: { preview: Preview; blob: string }[];
  /** Rows whose file is gone: the cluster is asked whether they are. */
  missing: Preview[];
  /** Files that no row can be made of, and why. */
  left: { slug: string; why: string }[];
}

/**
 * What the rows should be by the branch, when the database is empty or older than it. Nothing here decides whether a
 * preview lives: each row is decided about afterwards, from what GitLab says then.
 */
export function planRebuild(input: RebuildInput): RebuildPlan {
  const plan: RebuildPlan = { ended: [], rows: [], missing: [], left: [] };
  const known = new Map(input.living.map((row) => [row.slug, row]));
  for (const file of input.files) {
    const row = known.get(file.slug) ?? null;
    known.delete(file.slug);
    if (row !== null && row.incarnation === file.incarnation) {
      plan.rows.push({ preview: asFile(row, file, input.now), blob: file.blob });
      continue;
    }
    const made = rowOf(file, input);
    if (typeof made === 'string') {
      plan.left.push({ slug: file.slug, why: made });
      continue;
    }
    if (row !== null) plan.ended.push(over(row, input.now));
    plan.rows.push({ preview: made, blob: file.blob });
  }
  for (const row of known.values()) {
    if (row.phase === 'waiting' || row.phase === 'stopping') continue;
    plan.missing.push(transition(row, 'stopping', { stopReason: 'git', stoppedAt: input.now, stoppedBy: null }));
  }
  return plan;
}

/** One that fell asleep, or woke, after what the database knows: the agent says how it is. */
function asFile(row: Preview, file: OwnFile, now: Instant): Preview {
  const preview = { ...row, wantedRevision: file.revision };
  const wantAsleep = isAsleep(file);
  return wantAsleep === row.wantAsleep || !hasFile(row.phase)
    ? preview
    : transition({ ...preview, wantAsleep, sleepCause: null }, 'deploying', { deployingSince: now });
}

function isAsleep({ application }: OwnFile): boolean {
  return annotation(application, 'asleep') === 'true';
}

function over(row: Preview, now: Instant): Preview {
  return { ...row, phase: 'stopped', stopReason: row.stopReason ?? 'git', stoppedAt: row.stoppedAt ?? now };
}

/** The merge requests that a file names. Which sha each runs, and what takes the place of the others, is read anew. */
function linkedMembers(named: string, input: RebuildInput): Preview['members'] {
  return named.split(' ').flatMap((each) => {
    const { path = '', iid = '' } = /^(?<path>[^ ]+)!(?<iid>\d{1,9})$/.exec(each)?.groups ?? {};
    const project = input.projectAt(path);
    if (project === null) return [];
    return [{ projectId: project.projectId, iid: Number(iid), wantedSha: null, deployedSha: null, next: null }];
  });
}

/** The row that a file tells of; a sentence when it does not tell enough. */
function rowOf(file: OwnFile, input: RebuildInput): Preview | string {
  const named = annotation(file.application, 'merge-request') ?? '';
  const branch = annotation(file.application, 'source-branch');
  const reference = /^(?<path>[^ ]+)!(?<iid>\d{1,9})(?: |$)/.exec(named)?.groups;
  if (reference === undefined) return 'it does not name its merge request';
  const project = input.projectAt(reference.path ?? '');
  if (project === null) return `its project ${reference.path} is not in the configuration, or GitLab does not show it`;
  const { projectId } = project;
  const iid = Number(reference.iid);
  const { destination, source } = file.application.spec;
  // A fixed source names a revision of its own: the next decision says which sha runs.
  const isOwnSha = annotation(file.application, 'source-ref') !== undefined;
  const group = branch === undefined ? null : (input.groupAt?.(reference.path ?? '') ?? null);
  if (branch !== undefined && group === null)
    return `its project ${reference.path} is in no group of the configuration`;
  const wantedSha = isOwnSha ? source.targetRevision : null;
  const { policy } = group ?? project;
  return {
    ...untouched,
    slug: file.slug,
    incarnation: file.incarnation,
    subject: group === null ? `mr:${projectId}:${iid}` : `group:${policy.project}:${branch}`,
    project: policy.project,
    cluster: destination.name,
    namespace: destination.namespace,
    url: annotation(file.application, 'url') ?? null,
    members:
      group === null ? [{ projectId, iid, wantedSha, deployedSha: null, next: null }] : linkedMembers(named, input),
    phase: 'deploying',
    wantedRevision: file.revision,
    // Until GitLab is asked, which comes next, it counts as used just now.
    lastActivityAt: input.now,
    expiresAt: input.now + policy.ttlMs,
    createdAt: input.now,
    deployingSince: input.now,
    setValues: {},
    wantAsleep: isAsleep(file),
  };
}
