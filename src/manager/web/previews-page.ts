import { type Html, html, safeLink } from './html.js';
import type { WebBreaker, WebPreview } from './needs.js';
import { pageOf, untilText } from './page-shell.js';

export interface PageInput {
  previews: readonly WebPreview[];
  /** Whether there are more than are shown. */
  isCut: boolean;
  breaker: WebBreaker;
  /** PostgreSQL's or this machine's; only for "in 3 h". Milliseconds since the epoch. */
  now: number;
}

const nothing = html``;

/** The list of previews as a page. Everything in it that people wrote is escaped. */
export function previewsPage(input: PageInput): string {
  const { previews, isCut, breaker, now } = input;
  const rows = previews.map((preview) => row(preview, now));
  const table = html`<table>
<thead><tr><th scope="col">Preview</th><th scope="col">Phase</th><th scope="col">Merge request</th><th scope="col">Expires</th></tr></thead>
<tbody>${rows}</tbody>
</table>`;
  const empty = html`<p>No preview lives now. Open a merge request in a followed project to get one.</p>`;
  const more = isCut
    ? html`<p>Only the first ${previews.length} are shown. <code>mayfly list</code> has all.</p>`
    : nothing;
  const body = html`<h1>Previews</h1>
${banners(breaker)}
${previews.length === 0 ? empty : table}
${more}`;
  return pageOf({ title: 'Previews', refreshSeconds: 10, body });
}

function banners(breaker: WebBreaker): Html[] {
  const blocked =
    breaker.blockedReason === null
      ? []
      : [html`<p class="banner" role="alert"><strong>Nothing is written.</strong> ${breaker.blockedReason}</p>`];
  const trouble = breaker.gitlab == null ? [] : [html`<p class="banner" role="alert">${breaker.gitlab.text}</p>`];
  const pairs = breaker.held.map((each) => each.slug).join(', ');
  const held =
    breaker.held.length === 0
      ? []
      : [
          html`<p class="banner" role="alert"><strong>${count(breaker.held.length, 'stop')} held</strong> for more would end in an hour than anybody explained: ${pairs}. Look why, then <code>mayfly breaker accept</code>.</p>`,
        ];
  const agents = breaker.agents
    .filter((agent) => agent.breaker?.open === true)
    .map(
      (agent) =>
        html`<p class="banner" role="alert"><strong>The agent ${agent.name} deletes nothing</strong> (${agent.breaker?.reason ?? 'limit'}; ${count(agent.breaker?.pending.length ?? 0, 'deletion')} held). Look why, then <code>mayfly breaker accept</code>.</p>`,
    );
  return [...trouble, ...blocked, ...held, ...agents];
}

function row(preview: WebPreview, now: number): Html {
  const link = preview.url === null ? null : safeLink(preview.url);
  const name = html`<a href="/previews/${preview.slug}">${preview.slug}</a>`;
  const open = link === null ? nothing : html` <a class="open" href="${link}">Open</a>`;
  return html`<tr>
<th scope="row" data-label="Preview">${name}${open}</th>
<td data-label="Phase"><span class="phase ${preview.phase}">${preview.phase}</span>${remark(preview)}</td>
<td data-label="Merge request">${mergeRequests(preview)}</td>
<td data-label="Expires">${expiry(preview, now)}</td>
</tr>
`;
}

function remark(preview: WebPreview): Html {
  const remarks = [
    preview.waitingFor === null ? null : `for ${preview.waitingFor}`,
    preview.line === null ? null : `${preview.line.place} of ${preview.line.length} in line`,
    preview.message,
    preview.heldStop === null ? null : `its stop (${preview.heldStop.reason}) is held`,
    preview.unknownSince === null ? null : 'GitLab does not say whether its merge request still lives',
    preview.edited === null ? null : preview.edited === 'refused' ? 'edited: refused' : 'edited in Git',
  ].filter((each) => each !== null);
  return remarks.length === 0 ? nothing : html` <small>${remarks.join('; ')}</small>`;
}

function mergeRequests(preview: WebPreview): Html[] {
  return preview.members.flatMap((member) => {
    if (member.iid === null) return [];
    const link = member.mergeRequest === null ? null : safeLink(member.mergeRequest.webUrl);
    const title = member.mergeRequest?.title ?? '';
    return [link === null ? html`!${member.iid} ${title} ` : html`<a href="${link}">!${member.iid}</a> ${title} `];
  });
}

function expiry(preview: WebPreview, now: number): Html {
  if (preview.phase === 'stopping' || preview.phase === 'stopped') return html`${preview.stopReason ?? ''}`;
  if (preview.expiresAt === null) return html`never, pinned`;
  const iso = new Date(preview.expiresAt).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${untilText(preview.expiresAt - now)}</time>`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
