import { describe, expect, it } from 'vitest';
import { wantedStatus } from '../../../src/manager/feedback/commit-status.js';
import { renderNote } from '../../../src/manager/feedback/note.js';
import type { FeedbackView } from '../../../src/manager/feedback/view.js';
import type { Preview } from '../../../src/preview/preview.js';
import { at, memberOf, olderSha, sha, viewOf } from './view.js';

const shopUrl = 'https://gitlab.example.com/acme/shop/-/merge_requests/42';
const next = { sha: olderSha, waitingFor: 'pipeline', since: at, detail: null, link: null, stuck: false } as const;

/** A linked preview of !42 of project 5 and of a baseline of project 6, as a merge request of it is told. */
function linkedView(key: { projectId: number; iid: number }, preview: Partial<Preview> = {}): FeedbackView {
  const members = [
    memberOf(),
    memberOf({ projectId: 6, iid: null, branch: 'ma|in', wantedSha: olderSha, deployedSha: olderSha }),
  ];
  const rows = [
    { projectId: 5, iid: 42, project: 'acme/shop', webUrl: shopUrl },
    { projectId: 6, iid: null, project: 'acme/cart', webUrl: null },
  ];
  const own = key.projectId === 5 ? 'shop' : 'cart';
  return viewOf(
    { slug: 'store-cart', subject: 'group:store:cart', project: 'store', members, ...preview },
    { linked: { key, own, rows } },
  );
}

const here = { projectId: 5, iid: 42 };
const elsewhere = { projectId: 6, iid: 9 };

describe('the note of a linked preview', () => {
  it('has a row for each project, with the merge request or the target branch', () => {
    const note = renderNote(linkedView(here));
    expect(note).toContain(
      `| \`acme/shop\` | [!42](${shopUrl}) | [\`1a2b3c4d\`](https://gitlab.example.com/acme/shop/-/commit/${sha}) |  |`,
    );
    expect(note).toContain('| `acme/cart` | no merge request, `ma¦in` | `9f8e7d6c` |  |');
  });

  it('says what was cut where one of its commits comes from a fork, in the note of each', () => {
    const members = [memberOf(), memberOf({ projectId: 6, iid: 9, fork: true })];
    const view = linkedView(here, { members });
    const cut =
      "One of its commits comes from a fork, so that all of it gets what a fork gets: no copied secrets, and no repository but that of the group's first project.";
    expect(renderNote(view)).toContain(cut);
    expect(renderNote(linkedView(elsewhere, { members }))).toContain(cut);
    const linked = view.linked == null ? null : { ...view.linked, forkGets: { secrets: true, repositories: true } };
    expect(renderNote({ ...view, linked })).toContain(
      "no copied secrets but those that `secrets` gives to forks, and no repository but that of the group's first project and those of `follow.forkRepositories`.",
    );
    expect(renderNote(linkedView(here))).not.toContain('fork');
  });

  it('shows in each phase until when and where, and what the link still shows', () => {
    const members = [memberOf({ deployedSha: olderSha }), memberOf({ projectId: 6, iid: null, branch: 'main' })];
    const failed = renderNote(linkedView(here, { phase: 'failed', cause: 'health', members }));
    expect(failed).toContain('### 🔴 Preview failed: [shop-42.preview.example.com]');
    expect(failed).toContain('The link still shows what was deployed before, as long as that runs.');
    expect(failed).toContain(
      '| Deployed | Expires | Namespace |\n|---|---|---|\n| 23 Nov 14:02 UTC | 26 Nov 14:02 UTC | `preview-shop-42` |',
    );
    expect(failed).toContain('`1a2b3c4d` is not deployed |');
    const deploying = renderNote(linkedView(here, { phase: 'deploying', members }));
    expect(deploying).toContain('`1a2b3c4d` is being deployed |');
    const fresh = members.map((member) => ({ ...member, deployedSha: null }));
    const first = renderNote(linkedView(here, { phase: 'deploying', members: fresh }));
    expect(first).not.toContain('preview.example.com');
    expect(first).toContain('| not yet | 26 Nov 14:02 UTC | `preview-shop-42` |');
  });

  it('says of each member what it waits for', () => {
    const members = [
      memberOf({ wantedSha: null, deployedSha: null, next }),
      memberOf({ projectId: 6, iid: null, branch: 'main', wantedSha: null, deployedSha: null }),
    ];
    const note = renderNote(linkedView(here, { phase: 'waiting', waitingFor: 'pipeline', waitingSince: at, members }));
    expect(note).toContain('It waits for its pipeline');
    expect(note).toContain('| `9f8e7d6c` waits for its pipeline, since 23 Nov 14:02 UTC. |');
  });

  it('names a project that GitLab has never shown, and says what to do', () => {
    const waiting = linkedView(here, { phase: 'waiting', waitingFor: 'project', waitingSince: at });
    const lacking = (view: FeedbackView, missing: string[]) =>
      renderNote({ ...view, linked: view.linked == null ? null : { ...view.linked, missing } });
    const note = lacking(waiting, ['ca`rt']);
    expect(note).toContain(
      'It waits for a project of its group that GitLab has not shown yet, since 23 Nov 14:02 UTC.',
    );
    expect(note).toContain("GitLab does not show Mayfly the project `ca'rt` of this group. It is deployed once");
    expect(note).toContain("an operator gives the user of Mayfly's token access");
    expect(lacking(linkedView(here), ['cart', 'wiki'])).toContain(
      'projects `cart`, `wiki` of this group. So far they take',
    );
    expect(lacking(linkedView(here), [])).not.toContain('GitLab does not show');
    expect(lacking(linkedView(here, { phase: 'stopped', stopReason: 'merged' }), ['cart'])).not.toContain(
      'does not show',
    );
  });

  it('says of one that left that it goes on for the others, in words that stay true', () => {
    const view = linkedView(elsewhere);
    const facts = view.facts === null ? null : { ...view.facts, projectId: 6, iid: 9, state: 'merged' as const };
    const note = renderNote({ ...view, facts });
    expect(note).toContain('no longer with this merge request');
    expect(note).toContain(`This merge request was merged, so the linked preview \`store-cart\` goes on without it`);
    expect(note).toContain(`as long as the others are open: [!42](${shopUrl}).`);
    expect(note).not.toContain('Expires');
    expect(renderNote({ ...view, facts, preview: { ...view.preview, phase: 'failed', cause: 'health' } })).toBe(note);
  });

  it('says why it ended to one that left long ago, too', () => {
    const ended = { phase: 'stopped', stopReason: 'merged', stoppedAt: at } as const;
    expect(renderNote(linkedView(elsewhere, ended))).toContain('the merge request was merged');
  });
});

describe('the commit status of a linked preview', () => {
  it('is of the sha of this merge request', () => {
    expect(wantedStatus(linkedView(here), false, null)).toMatchObject({ sha, state: 'success' });
  });

  it('is none for one that left, and lets a merge go that waits for it', () => {
    expect(wantedStatus(linkedView(elsewhere), true, null)).toBeNull();
    const posted = { sha, state: 'running', name: 'mayfly/preview' };
    expect(wantedStatus(linkedView(elsewhere), true, posted)).toMatchObject({
      sha,
      state: 'success',
      description: 'stopped',
    });
  });
});
