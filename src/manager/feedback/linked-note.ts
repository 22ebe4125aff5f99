import type { Member, Preview } from '../../preview/preview.js';
import { waitingWords } from '../../preview/state-words.js';
import { detailWords } from './gate-words.js';
import { codeSpan } from './outsider-text.js';
import { type FeedbackView, ownMember } from './view.js';
import { utcTime } from './words.js';

export function isLinked({ linked }: FeedbackView): boolean {
  return linked !== null && linked !== undefined;
}

/** This merge request takes part no more, and the preview goes on for others. */
export function hasLeft(view: FeedbackView): boolean {
  const { phase } = view.preview;
  return isLinked(view) && phase !== 'stopping' && phase !== 'stopped' && ownMember(view) === undefined;
}

/** What stays true whatever becomes of the others: nobody writes this note anew when they move. */
export function leftParts({ preview, facts, linked }: FeedbackView): string[] {
  const why =
    facts?.state === 'merged' || facts?.state === 'closed'
      ? `was ${facts.state}`
      : 'is not followed by the configuration now';
  const others = (linked?.rows ?? []).flatMap((row) => (row.iid === null ? [] : [reference(row)]));
  return [
    '### ⚪ Linked preview: no longer with this merge request',
    `This merge request ${why}, so the linked preview \`${preview.slug}\` goes on without it, with what was merged in its project, as long as the others are open: ${others.join(', ')}.`,
  ];
}

/** A row for each project: what of it runs, and what is awaited. */
export function linkedPart({ preview, linked }: FeedbackView): string[] {
  const rows = preview.members.map((member, index) => {
    const { project = '', webUrl = null } = linked?.rows[index] ?? {};
    const { projectId, iid, branch = '' } = member;
    const what =
      iid === null ? `no merge request, ${codeSpan(branch)}` : reference({ projectId, iid, project, webUrl });
    return `| ${[codeSpan(project), what, shaOf(member, webUrl, preview.phase), nextOf(member)].join(' | ')} |`;
  });
  return [['| Project | Merge request | Commit | Next |', '|---|---|---|---|', ...rows].join('\n')];
}

/** Whose service is not in it, and who can change that; nothing where GitLab showed every project. */
export function missingPart({ preview, linked }: FeedbackView): string[] {
  const names = linked?.missing ?? [];
  if (names.length === 0 || preview.phase === 'stopping' || preview.phase === 'stopped') return [];
  const [what, they] = names.length === 1 ? ['the project', 'it takes'] : ['projects', 'they take'];
  const effect =
    preview.phase === 'waiting'
      ? 'It is deployed once GitLab shows every project of its group.'
      : `So far ${they} no part.`;
  return [
    `⚠️ GitLab does not show Mayfly ${what} ${names.map(codeSpan).join(', ')} of this group. ${effect} **What to do:** an operator gives the user of Mayfly's token access, corrects \`path\`, or takes it out of the group.`,
  ];
}

type Row = NonNullable<FeedbackView['linked']>['rows'][number];

function reference({ iid, project, webUrl }: Row): string {
  return isPlainLink(webUrl) ? `[!${iid}](${webUrl})` : codeSpan(`${project}!${iid}`);
}

function shaOf({ wantedSha, deployedSha }: Member, webUrl: string | null, phase: Preview['phase']): string {
  const sha = deployedSha ?? wantedSha;
  if (sha === null) return '';
  const [base] = isPlainLink(webUrl) ? webUrl.split('/-/merge_requests/') : [];
  const shown = base === undefined ? short(sha) : `[${short(sha)}](${base}/-/commit/${sha})`;
  const fate = phase === 'failed' ? 'is not deployed' : 'is being deployed';
  return wantedSha === null || wantedSha === sha ? shown : `${shown}, ${short(wantedSha)} ${fate}`;
}

function nextOf({ next }: Member): string {
  if (next === null) return '';
  const words = waitingWords(next.waitingFor, null);
  return `${short(next.sha)} waits for ${words}, since ${utcTime(next.since)}.${detailWords(next)}`;
}

function short(sha: string): string {
  return `\`${sha.slice(0, 8)}\``;
}

function isPlainLink(webUrl: string | null): webUrl is string {
  return webUrl !== null && /^https?:\/\/[^\s()<>|]+\/-\/merge_requests\/\d+$/.test(webUrl);
}
