import { hasEnded } from '../../preview/linked.js';
import type { MemberReading } from './linked.js';
import { linkedGroupOf } from './linked-group.js';
import type { DecideDeps, SubjectState } from './needs.js';
import { type GroupSubject, groupSubject, type Subject } from './subject.js';

/** Whose previews a merge request concerns. */
export interface Route {
  /** It has a preview of its own, or could have. */
  isOwn: boolean;
  /** The linked preview that shows it; null: none. */
  linked: GroupSubject | null;
  /** What was read to find that out. */
  readings: readonly MemberReading[];
}

const own: Route = { isOwn: true, linked: null, readings: [] };

/**
 * Where a merge request belongs: it alone has a preview, unless its project is one of a group. Then its source branch,
 * which never changes, says which one; GitLab is asked for it when nobody knows it yet. A fork joins a linked preview only
 * where the group says so, and until then, or for good, it may have one of its own.
 */
export async function routeOf(
  deps: Pick<DecideDeps, 'gitlab' | 'settings' | 'log'>,
  subject: Subject,
  state: SubjectState,
  signal: AbortSignal,
): Promise<Route> {
  const { projectId, iid } = subject;
  const group = deps.settings.groupOf?.(projectId) ?? null;
  if (group === null) return own;
  const lives = state.preview !== null && state.preview.phase !== 'stopped';
  if (state.facts !== null && linkedGroupOf(deps.settings, state.facts, state.wishes) === null) return own;
  // One that ended long ago is not among those that the linked preview looks at: it is read here.
  const isSettled = state.facts !== null && !(state.asked && hasEnded(state.facts));
  if (state.facts !== null && isSettled) {
    return { ...own, isOwn: lives, linked: groupSubject(group, state.facts.sourceBranch) };
  }
  const answer = await deps.gitlab.readMergeRequest(projectId, iid, signal, state.facts);
  const branch = state.facts?.sourceBranch ?? (answer.known ? answer.facts.sourceBranch : null);
  // Unknown, and tried again later, in the way of every merge request.
  if (branch === null) return own;
  if (answer.known && linkedGroupOf(deps.settings, answer.facts, state.wishes) === null) return own;
  // The fence compares times of one clock, PostgreSQL's: the read began after the state was loaded.
  const reading = { ...answer, readStartedAt: state.now };
  return {
    isOwn: lives,
    linked: groupSubject(group, branch),
    readings: [{ projectId, iid, reading }],
  };
}
