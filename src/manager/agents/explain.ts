import type { Logger } from 'pino';
import { hasFile } from '../../preview/lifecycle.js';
import type { Preview } from '../../preview/preview.js';
import { explanation } from '../../preview/stop.js';
import type { Explain, ExplainAnswer } from '../../protocol/explain.js';
import type { Pair } from './poll.js';

export interface ExplainDeps {
  readPreviews: (pairs: Pair[]) => Promise<Preview[]>;
  /** Who accepted each deletion, by `slug#incarnation`. */
  acceptances: (pairs: Pair[]) => Promise<Map<string, string>>;
  /** Whether GitLab's API says now that this merge request is merged or closed; false also when it cannot say. */
  hasEnded: (projectId: number, iid: number, signal: AbortSignal) => Promise<boolean>;
  log: Logger;
}

/** Questions to GitLab of one request; what is beyond is unexplained now, and asked again by the agent. */
const maxConfirmations = 500;
const parallelConfirmations = 8;

/**
 * Why each deletion is to go. The end of a merge request is confirmed by GitLab at this moment: a row alone, which a
 * forged or stale fact may have made, deletes nothing in numbers. No answer means unexplained.
 */
export async function explainDeletions(
  deps: ExplainDeps,
  input: { cluster: string; deletions: Explain['deletions'] },
  signal: AbortSignal,
): Promise<ExplainAnswer> {
  const rows = new Map<string, Preview>();
  for (const row of await deps.readPreviews(input.deletions)) {
    if (row.cluster === input.cluster) rows.set(keyOf(row), row);
  }
  const accepted = await deps.acceptances(input.deletions);
  const ended = await confirmEnds(deps, [...rows.values()].filter(restsOnEnd), signal);
  const deletions = input.deletions.map((pair) => {
    const row = rows.get(keyOf(pair)) ?? null;
    const acceptedBy = accepted.get(keyOf(pair)) ?? null;
    const isUnconfirmed =
      row !== null && restsOnEnd(row) && !row.members.every((member) => ended.has(memberKey(member)));
    const lives = row !== null && hasFile(row.phase);
    return { ...pair, explanation: explanation(isUnconfirmed ? null : row, acceptedBy), lives };
  });
  return { deletions };
}

function restsOnEnd(row: Preview): boolean {
  return row.stopReason === 'merged' || row.stopReason === 'closed';
}

/** The members that have ended, asked one by one; a baseline member has nothing to end. */
async function confirmEnds(deps: ExplainDeps, rows: Preview[], signal: AbortSignal): Promise<Set<string>> {
  const ended = new Set<string>();
  const questions = new Map<string, { projectId: number; iid: number }>();
  for (const member of rows.flatMap((row) => row.members)) {
    if (member.iid === null) ended.add(memberKey(member));
    else questions.set(memberKey(member), { projectId: member.projectId, iid: member.iid });
  }
  const waiting = [...questions].slice(0, maxConfirmations);
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [key, { projectId, iid }] = next;
      try {
        if (await deps.hasEnded(projectId, iid, signal)) ended.add(key);
      } catch (error) {
        signal.throwIfAborted();
        deps.log.warn({ projectId, iid, err: error }, 'end of a merge request not confirmed');
      }
    }
  }
  await Promise.all(Array.from({ length: parallelConfirmations }, work));
  return ended;
}

function keyOf(pair: Pair): string {
  return `${pair.slug}#${pair.incarnation}`;
}

function memberKey(member: { projectId: number; iid: number | null }): string {
  return `${member.projectId}:${member.iid ?? 'baseline'}`;
}
