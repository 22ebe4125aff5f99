import type { Member, Preview } from '../../preview/preview.js';
import { hostLink } from './outsider-text.js';
import type { FeedbackView } from './view.js';
import { shortSpan, utcTime } from './words.js';

/** Where it can be opened, for the heading; null while nothing of it was ever deployed: no link that leads nowhere. */
export function openLink(preview: Preview): string | null {
  const { phase, url, members } = preview;
  const isUp = phase === 'ready' || phase === 'asleep';
  const mayBeUp = (phase === 'deploying' || phase === 'failed') && members.some(wasDeployed);
  return url !== null && (isUp || mayBeUp) ? hostLink(url) : null;
}

/** What the link shows while the commit that is wanted is not what was deployed. */
export function stillPart({ preview, facts }: FeedbackView, member: Member | undefined): string[] {
  if (openLink(preview) === null || !preview.members.some(isBehind)) return [];
  const deployed = member?.deployedSha ?? null;
  const what = deployed === null ? 'what was deployed before' : `commit ${commit(deployed, facts)}`;
  return [`The link still shows ${what}, as long as that runs.`];
}

/**
 * What is deployed, since when, until when and where: in every phase of a living preview. `member` is undefined for a
 * linked preview, which has a row of its own for each.
 */
export function deployedTable(view: FeedbackView, member: Member | undefined): string {
  const { preview, facts, deployedAt } = view;
  const sha = member?.deployedSha ?? member?.wantedSha ?? member?.next?.sha ?? null;
  const isUp = preview.phase === 'ready' || preview.phase === 'asleep' || preview.members.some(wasDeployed);
  const at = deployedAt === null ? '' : `${utcTime(deployedAt)}${afterPush(view, sha, deployedAt)}`;
  const columns = [
    ...(member === undefined ? [] : [['Commit', sha === null ? '' : commit(sha, facts)]]),
    ['Deployed', isUp ? at : 'not yet'],
    ['Expires', preview.pinnedBy === null ? utcTime(preview.expiresAt) : 'never, pinned'],
    ['Namespace', `\`${preview.namespace}\``],
  ];
  const row = (cells: (string | undefined)[]) => `| ${cells.join(' | ')} |`;
  const [names, cells] = [columns.map(([name]) => name), columns.map(([, cell]) => cell)];
  return [row(names), `|${'---|'.repeat(columns.length)}`, row(cells)].join('\n');
}

/** Short sha, linked to the commit in the project of the merge request. */
export function commit(sha: string, facts: FeedbackView['facts']): string {
  const short = `\`${sha.slice(0, 8)}\``;
  const base = facts === null ? null : /^(https?:\/\/[^\s()<>|]+)\/-\/merge_requests\/\d+$/.exec(facts.webUrl)?.[1];
  return base === null || base === undefined ? short : `[${short}](${base}/-/commit/${sha})`;
}

function wasDeployed({ deployedSha }: Member): boolean {
  return deployedSha !== null;
}

function isBehind({ wantedSha, deployedSha }: Member): boolean {
  return deployedSha !== null && wantedSha !== null && wantedSha !== deployedSha;
}

const longestWaitToTell = 3_600_000;

/** How soon after a push an incarnation begins that the push brings: webhooks may be missing. */
const beginsWithinMs = 120_000;

/** Nothing unless it was the push that brought what is deployed: no wake, redeploy, set value or start did. */
function afterPush(view: FeedbackView, sha: string | null, deployedAt: number): string {
  const { facts, firstHealthyAt } = view;
  if (facts === null || facts.lastPushAt === null || facts.sha !== sha) return '';
  if (firstHealthyAt !== deployedAt || !beganBeforeOrWith(view, facts.lastPushAt)) return '';
  const tookMs = deployedAt - facts.lastPushAt;
  return tookMs >= 0 && tookMs < longestWaitToTell ? `, ${shortSpan(tookMs)} after the push` : '';
}

/** Whether the push came to a preview that was there, or brought it: not a start, and not a reopening. */
function beganBeforeOrWith({ preview, facts, begunAnewAt = null }: FeedbackView, pushedAt: number): boolean {
  if (preview.createdAt <= pushedAt) return true;
  const others = [begunAnewAt, facts?.lastReopenedAt ?? null];
  return preview.createdAt - pushedAt <= beginsWithinMs && others.every((at) => at === null || at < pushedAt);
}
