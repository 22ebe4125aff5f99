import { waitingWords } from '../../preview/state-words.js';
import { type Html, html, safeLink } from './html.js';
import type { WebEvent, WebMember, WebPreviewDetail } from './needs.js';
import { pageOf, timeOf, untilText } from './page-shell.js';
import { stateSection } from './preview-state.js';

interface PageInput {
  preview: WebPreviewDetail;
  /** The newest first; one more than is shown tells that there are older ones. */
  events: readonly WebEvent[];
  now: number;
}

/** The most of the history that a page shows. */
export const mostEvents = 50;

const nothing = html``;

/** As the history has them; their first digits do for a reader. */
const wholeSha = /\b(?:[0-9a-f]{40}|[0-9a-f]{64})\b/g;

/** What is likely to change while somebody looks is looked at more often. */
const restless = new Set(['waiting', 'deploying', 'stopping']);

/** All of one preview as a page. Everything in it that people or the cluster wrote is escaped. */
export function previewPage({ preview, events, now }: PageInput): string {
  const { slug, phase, members } = preview;
  const link = preview.url === null ? null : safeLink(preview.url);
  const running = phase !== 'stopped' && phase !== 'stopping';
  const open =
    link === null || !running ? nothing : html`<p><a class="button" href="${link}">Open the preview</a></p>\n`;
  const body = html`<nav><a href="/">All previews</a></nav>
<h1>${slug} <span class="phase ${phase}">${phase}</span></h1>
${stateSection(preview)}
${open}<h2>${members.length === 1 ? 'What runs' : 'Its members'}</h2>
${membersTable(members)}
<h2>Facts</h2>
${facts(preview, link, now)}
<h2>History</h2>
${history(events, preview.incarnation)}`;
  return pageOf({ title: slug, refreshSeconds: restless.has(phase) ? 10 : 60, body });
}

/** The answer for a name that no preview has, or had. */
export function unknownPage(slug: string): string {
  const body = html`<nav><a href="/">All previews</a></nav>
<h1>No such preview</h1>
<p>No preview is called <code>${slug.slice(0, 63)}</code>. The history of one that ended is kept for a while, then removed.</p>`;
  return pageOf({ title: 'No such preview', refreshSeconds: null, body });
}

function membersTable(members: readonly WebMember[]): Html {
  const rows = members.map(
    (member) => html`<tr>
<th scope="row" data-label="Merge request">${mergeRequestOf(member)}</th>
<td data-label="Deployed">${shaOf(member, member.deployedSha)}</td>
<td data-label="Wanted">${shaOf(member, member.wantedSha)}</td>
<td data-label="Next">${nextOf(member)}</td>
</tr>
`,
  );
  return html`<table class="members">
<thead><tr><th scope="col">Merge request</th><th scope="col">Deployed</th><th scope="col">Wanted</th><th scope="col">Next</th></tr></thead>
<tbody>${rows}</tbody>
</table>`;
}

function mergeRequestOf({ iid, branch, projectId, mergeRequest }: WebMember): Html {
  if (iid === null) return html`none, <code>${branch ?? ''}</code> of project ${projectId}`;
  const link = mergeRequest === null ? null : safeLink(mergeRequest.webUrl);
  const name = link === null ? html`!${iid}` : html`<a href="${link}">!${iid}</a>`;
  return mergeRequest === null
    ? name
    : html`${name} ${mergeRequest.title} <small>${mergeRequest.sourceBranch}, by ${mergeRequest.author}</small>`;
}

function shaOf({ mergeRequest }: WebMember, sha: string | null): Html {
  if (sha === null) return html`<span class="none">none</span>`;
  const short = html`<code class="sha" title="${sha}">${sha.slice(0, 8)}</code>`;
  const page = mergeRequest === null ? null : safeLink(mergeRequest.webUrl);
  const [base, rest] = page?.split('/-/merge_requests/') ?? [];
  return base === undefined || rest === undefined ? short : html`<a href="${base}/-/commit/${sha}">${short}</a>`;
}

function nextOf(member: WebMember): Html {
  const { next, images } = member;
  if (next === null) return html`<span class="none">none</span>`;
  const link = next.link == null ? null : safeLink(next.link);
  const detail =
    next.detail === null ? nothing : link === null ? html`${next.detail}` : html`<a href="${link}">${next.detail}</a>`;
  const awaited = next.waitingFor === 'image' ? images.map(imageOf) : [];
  return html`${shaOf(member, next.sha)} waits for ${waitingWords(next.waitingFor, null)}, since ${timeOf(next.since)}. ${detail}${awaited}`;
}

function imageOf({ image, detail, lookedAt }: WebMember['images'][number]): Html {
  const looked = lookedAt === null ? html`nobody has looked yet` : html`looked for at ${timeOf(lookedAt)}`;
  return html` <small><code>${image}</code>: ${detail === null ? nothing : html`${detail}, `}${looked}</small>`;
}

function facts(preview: WebPreviewDetail, link: string | null, now: number): Html {
  const rows: [string, Html | null][] = [
    [
      'Address',
      preview.url === null ? null : link === null ? html`${preview.url}` : html`<a href="${link}">${preview.url}</a>`,
    ],
    ['Namespace', html`<code>${preview.namespace}</code>`],
    ['Cluster', html`${preview.cluster}`],
    ['Project', html`${preview.project}`],
    ['Created', html`${timeOf(preview.createdAt)}`],
    ['First ready', preview.readyAt === null ? null : timeOf(preview.readyAt)],
    ['Last activity', timeOf(preview.lastActivityAt)],
    ['Expires', expiryOf(preview, now)],
    ['Incarnation', html`${preview.incarnation}`],
    ['Revision', revisionOf(preview)],
  ];
  const shown = rows.flatMap(([name, value]) =>
    value === null ? [] : [html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`],
  );
  return html`<dl>\n${shown}</dl>`;
}

function expiryOf({ phase, expiresAt, pinnedBy }: WebPreviewDetail, now: number): Html | null {
  if (phase === 'stopping' || phase === 'stopped') return null;
  if (expiresAt === null) return html`never, pinned${pinnedBy === null ? '' : ` by ${pinnedBy}`}`;
  return html`${timeOf(expiresAt)}, ${untilText(expiresAt - now)}`;
}

function revisionOf({ wantedRevision, deployedRevision }: WebPreviewDetail): Html | null {
  if (wantedRevision === null) return null;
  const wanted = html`<code title="${wantedRevision}">${wantedRevision.slice(0, 12)}</code>`;
  return wantedRevision === deployedRevision ? html`${wanted}, deployed` : html`${wanted}, not deployed yet`;
}

function history(events: readonly WebEvent[], incarnation: number): Html {
  if (events.length === 0) return html`<p>Nothing is remembered.</p>`;
  const items = events.slice(0, mostEvents).map((event) => eventOf(event, incarnation));
  const more =
    events.length > mostEvents
      ? html`<p>Older ones are left out here; <code>mayfly show</code> and the API have them.</p>`
      : nothing;
  return html`<ol class="history">\n${items}</ol>\n${more}`;
}

function eventOf(event: WebEvent, incarnation: number): Html {
  const { kind, from, to, actor, detail } = event;
  const moved = from === null || to === null || from === to ? nothing : html` <small>${from} → ${to}</small>`;
  const earlier = event.incarnation === incarnation ? nothing : html` <small>incarnation ${event.incarnation}</small>`;
  const by = actor === null ? nothing : html` by ${actor}`;
  const what =
    detail === null || detail === ''
      ? nothing
      : html`<span class="detail">${detail.replace(wholeSha, (sha) => sha.slice(0, 8))}</span>`;
  return html`<li>${timeOf(event.at)}<div><strong>${kind.replaceAll('-', ' ')}</strong>${by}${moved}${earlier}${what}</div></li>
`;
}
