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
export function deployedTable({ preview, facts, deployedAt }: FeedbackView, member: Member | undefined): string {
  const sha = member?.deployedSha ?? member?.wantedSha ?? member?.next?.sha ?? null;
  const isUp = preview.phase === 'ready' || preview.phase === 'asleep' || preview.members.some(wasDeployed);
  const at = deployedAt === null ? '' : `${utcTime(deployedAt)}${afterPush(sha, facts, deployedAt)}`;
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

function afterPush(sha: string | null, facts: FeedbackView['facts'], deployedAt: number): string {
  if (facts === null || facts.lastPushAt === null || facts.sha !== sha) return '';
  const tookMs = deployedAt - facts.lastPushAt;
  return tookMs >= 0 && tookMs < longestWaitToTell ? `, ${shortSpan(tookMs)} after the push` : '';
}
