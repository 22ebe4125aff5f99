import type pg from 'pg';
import { AppError, isAppError } from '../error/app-error.js';
import { begin } from '../preview/begin.js';
import type { MergeRequestFacts } from '../preview/facts.js';
import { isFork } from '../preview/follow.js';
import { combine, hasEnded, type Linked, takingPart } from '../preview/linked.js';
import type { Member, Preview } from '../preview/preview.js';
import { startedBy } from '../preview/wishes.js';
import { readSubject } from '../store/subject-state.js';
import { linkedInput, linkedQuery, linkedScope, noLinkedReadings, slugsOf } from './decide/linked.js';
import type { DecideDeps, DecideSettings, SubjectState } from './decide/needs.js';
import { noScope } from './decide/scope.js';
import { groupSubject } from './decide/subject.js';
import type { Subject } from './operate/preview-rendering.js';

export interface LinkedRenderDeps {
  pool: pg.Pool;
  settings: DecideSettings;
  /** Reads a target branch as a decision does. */
  readBaseline: NonNullable<DecideDeps['gitlab']['readBaseline']>;
  signal: AbortSignal;
}

type Group = NonNullable<ReturnType<NonNullable<DecideSettings['groupFor']>>>;

/**
 * The linked preview that a merge request takes part in: as it is deployed, or, where nothing of it is yet, with the
 * newest sha of each merge request and the baselines as they would be taken now. Changes nothing.
 * Errors: `group-incomplete`, `baseline-unread`, `merge-request-ended`, `no-commit`, `no-free-slug`.
 */
export async function linkedSubjectOf(
  deps: LinkedRenderDeps,
  { group: name, facts }: { group: string; facts: MergeRequestFacts },
): Promise<Subject & { phase: Preview['phase'] | null }> {
  const subject = groupSubject(name, facts.sourceBranch);
  const scope = linkedScope(deps.settings, subject);
  const { group } = scope;
  if (group === null) throw refusal('no-such-group', `There is no group ${name} in the configuration.`, 404);
  const query = linkedQuery(scope, noLinkedReadings, noScope, slugsOf(scope));
  const state = withFacts(await readSubject(deps.pool, query), facts);
  const { preview } = state;
  const lives = preview !== null && preview.phase !== 'stopping' && preview.phase !== 'stopped';
  if (lives && preview.phase !== 'waiting') {
    return { preview, facts: leadOf(state, preview.members) ?? facts, phase: preview.phase };
  }
  refuseIncomplete(name, group);
  const input = linkedInput(scope, { ...state, preview: null }, noLinkedReadings);
  const linked = input.linked ?? neverLinked();
  const live = liveWith(linked, facts, state);
  const members = await membersOf(deps, group, live);
  const lead = leadOf(state, members) ?? facts;
  if (lives) return { preview: { ...preview, members }, facts: lead, phase: preview.phase };
  const combined = combine(linked, state.wishes);
  const asked = { ...input, ...combined, facts: combined.facts ?? lead, reading: 'fresh' } as const;
  const beginning = begin(null, { runs: true }, { ...asked, slugs: state.slugs });
  if (beginning.kind === 'begin') return { preview: { ...beginning.preview, members }, facts: lead, phase: null };
  throw refusal('no-free-slug', `No name is free for the linked preview of the branch ${facts.sourceBranch}.`, 404);
}

/** One that no webhook and no listing has told of yet is known by now. */
function withFacts(state: SubjectState, facts: MergeRequestFacts): SubjectState {
  const { projectId, iid } = facts;
  const known = state.mergeRequests ?? [];
  const isThere = known.some((each) => each.projectId === projectId && each.iid === iid && each.facts !== null);
  const own = { projectId, iid, facts, asked: false, unknownSince: null, readStartedAt: null };
  return isThere ? state : { ...state, mergeRequests: [...known, own] };
}

/** Those that take part, and the one that is asked about whatever the filters say: its file is what is to be seen. */
function liveWith(linked: Linked, facts: MergeRequestFacts, { wishes }: SubjectState): MergeRequestFacts[] {
  const live = takingPart(linked, startedBy(facts, wishes) !== null);
  const isAmong = live.some((each) => each.projectId === facts.projectId && each.iid === facts.iid);
  const all = isAmong || hasEnded(facts) ? live : [...live, facts];
  if (all.length > 0) return all;
  throw refusal(
    'merge-request-ended',
    `Every merge request of the branch ${facts.sourceBranch} was merged or closed: no linked preview would begin.`,
    404,
  );
}

/** In the order of the group. What waits for a gate is shown with the sha that it waits for. */
async function membersOf(deps: LinkedRenderDeps, group: Group, live: readonly MergeRequestFacts[]): Promise<Member[]> {
  const [first] = group.projects.flatMap(({ projectId }) => live.filter((each) => each.projectId === projectId));
  const targetBranch = first?.targetBranch ?? '';
  const members = group.projects.map(async (project): Promise<Member[]> => {
    const own = live.filter(({ projectId }) => projectId === project.projectId);
    return own.length > 0 ? own.map(ofMergeRequest) : [await ofBaseline(deps, project, targetBranch)];
  });
  return (await Promise.all(members)).flat();
}

function ofMergeRequest(facts: MergeRequestFacts): Member {
  const { projectId, iid, sha } = facts;
  if (sha === null) throw refusal('no-commit', `The merge request !${iid} has no commit to deploy.`, 404);
  const member = { projectId, iid, wantedSha: sha, deployedSha: null, next: null };
  return isFork(facts) ? { ...member, fork: true } : member;
}

async function ofBaseline(
  { readBaseline, signal }: LinkedRenderDeps,
  project: Group['projects'][number],
  targetBranch: string,
): Promise<Member> {
  const { projectId } = project;
  try {
    const { baseline } = await readBaseline({ project, branch: targetBranch }, signal);
    const { branch, head, passed } = baseline;
    return { projectId, iid: null, wantedSha: passed ?? head, deployedSha: null, next: null, branch };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const what = `The target branch of ${project.policy.project} was not read, so that nobody knows which commit of it takes part.`;
    throw refusal('baseline-unread', `${what} ${error.publicMessage} Then try again.`, 503, error);
  }
}

/** What GitLab says of the first merge request among the members. */
function leadOf({ mergeRequests = [] }: SubjectState, members: readonly Member[]): MergeRequestFacts | null {
  const first = members.find(({ iid }) => iid !== null);
  return mergeRequests.find((each) => each.projectId === first?.projectId && each.iid === first.iid)?.facts ?? null;
}

function refuseIncomplete(name: string, { missing }: Group): void {
  if (missing.length === 0) return;
  throw refusal(
    'group-incomplete',
    `GitLab has never shown ${missing.join(', ')} of the group ${name}, so that nothing of it is deployed. Give the user of \`gitlab.token\` access, correct \`path\`, or take it out of the group; \`mayfly check\` tries each project.`,
    409,
  );
}

function neverLinked(): never {
  throw new Error('the input of a linked preview has no merge requests');
}

function refusal(code: string, publicMessage: string, status: number, cause?: unknown): AppError {
  return new AppError({ code, disposition: 'stall', publicMessage, data: { status }, cause });
}
