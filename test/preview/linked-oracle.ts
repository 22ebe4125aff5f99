/**
 * What must hold of a linked preview in the end, worked out from GitLab's final state and the clock alone. Written from
 * the contracts and without a line of src/preview: it knows no rows, no phases that lead to one another, no events.
 */

interface FinalMergeRequest {
  projectId: number;
  iid: number;
  state: 'opened' | 'closed' | 'merged';
  sha: string;
  labelled: boolean;
  draft: boolean;
  createdAt: number;
  lastPushAt: number;
  lastReopenedAt: number | null;
  endedAt: number | null;
}

export interface FinalGroup {
  /** In the order of the configuration, with the commits of each target branch. */
  projects: { projectId: number; main: string[] }[];
  mergeRequests: FinalMergeRequest[];
  comments: { at: number; says: 'start' | 'stop' | 'redeploy' }[];
  green: ReadonlySet<string>;
  ttlMs: number;
  now: number;
}

export type ExpectedGroup =
  | { lives: false; reason: string | null }
  | {
      lives: true;
      /** Every member has something that may run. */
      mayBegin: boolean;
      members: { projectId: number; iid: number | null; head: string | null; mayRun: string[] }[];
    };

export function linkedOracle(final: FinalGroup): ExpectedGroup {
  const { mergeRequests, now, ttlMs } = final;
  const open = mergeRequests.filter((each) => each.state === 'opened');
  if (open.length === 0) {
    const last = [...mergeRequests].sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0)).at(-1);
    return { lives: false, reason: last?.state ?? null };
  }
  const comments = final.comments.filter(({ at }) => at >= termStart(mergeRequests, open));
  const reopenedAt = Math.max(0, ...open.map((each) => each.lastReopenedAt ?? 0));
  const word = comments.filter(({ says }) => says !== 'redeploy').at(-1);
  const counts = word !== undefined && word.at >= reopenedAt;
  if (counts && word.says === 'stop') return { lives: false, reason: 'command' };
  const asked = counts && word.says === 'start';
  const live = open.filter((each) => !each.labelled && (asked || !each.draft));
  if (live.length === 0) {
    const [first] = inOrder(final, open);
    return { lives: false, reason: first?.draft === true && !asked ? 'unfollowed' : 'label' };
  }
  const activity = [
    reopenedAt,
    ...live.flatMap((each) => [each.createdAt, each.lastPushAt]),
    ...comments.map(({ at }) => at),
  ];
  if (now >= Math.max(...activity) + ttlMs) return { lives: false, reason: 'expired' };
  const members = final.projects.flatMap(({ projectId, main }): Extract<ExpectedGroup, { lives: true }>['members'] => {
    const own = inOrder(final, live).filter((each) => each.projectId === projectId);
    const merged = mergeRequests.filter((each) => each.projectId === projectId && each.state === 'merged');
    return own.length > 0
      ? own.map(({ iid, sha }) => ({ projectId, iid, head: sha, mayRun: [] }))
      : [
          {
            projectId,
            iid: null,
            head: null,
            mayRun: [...main, ...merged.map(({ sha }) => sha)].filter((sha) => final.green.has(sha)),
          },
        ];
  });
  const mayBegin = members.every(({ head, mayRun }) => (head === null ? mayRun.length > 0 : final.green.has(head)));
  return { lives: true, mayBegin, members };
}

function termStart(all: readonly FinalMergeRequest[], open: readonly FinalMergeRequest[]): number {
  let start = Math.min(...open.map((each) => each.createdAt));
  for (let moved = true; moved; ) {
    moved = false;
    for (const each of all) {
      if (each.createdAt < start && (each.endedAt ?? Number.POSITIVE_INFINITY) >= start) {
        start = each.createdAt;
        moved = true;
      }
    }
  }
  return start;
}

function inOrder({ projects }: FinalGroup, list: readonly FinalMergeRequest[]): FinalMergeRequest[] {
  const order = projects.map(({ projectId }) => projectId);
  return [...list].sort((a, b) => order.indexOf(a.projectId) - order.indexOf(b.projectId) || a.iid - b.iid);
}
