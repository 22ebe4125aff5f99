import { marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { noteMarker, renderNote } from '../../../src/manager/feedback/note.js';
import { noPipelineDetail } from '../../../src/preview/pipeline-gate.js';
import type { StopReason } from '../../../src/preview/preview.js';
import { at, memberOf, olderSha, sha, viewOf } from './view.js';

const link = '[shop-42.preview.example.com](https://shop-42.preview.example.com/)';
const newer = `[\`1a2b3c4d\`](https://gitlab.example.com/acme/shop/-/commit/${sha})`;
const older = `[\`9f8e7d6c\`](https://gitlab.example.com/acme/shop/-/commit/${olderSha})`;

const text = (...view: Parameters<typeof viewOf>): string => renderNote(viewOf(...view));

describe('a note', () => {
  it('begins with the marker and is the same for the same row', () => {
    expect(text().startsWith(noteMarker)).toBe(true);
    expect(text()).toBe(text());
  });

  it('of a ready preview has link, commit, times and namespace', () => {
    expect(text()).toBe(`${noteMarker}

### 🟢 Preview ready: [shop-42.preview.example.com](https://shop-42.preview.example.com/)

| Commit | Deployed | Expires | Namespace |
|---|---|---|---|
| [\`1a2b3c4d\`](https://gitlab.example.com/acme/shop/-/commit/${sha}) | 23 Nov 14:02 UTC, 41 s after the push | 26 Nov 14:02 UTC | \`preview-shop-42\` |

\`/preview extend 2d\` · \`/preview pin\` · \`/preview stop\` · \`/preview help\`
`);
  });

  it.each([
    ['a wake, a redeploy or a set value', {}, { firstHealthyAt: at - 10_000 }],
    ['a start', { createdAt: at - 20_000 }, { begunAnewAt: at - 20_000 }],
    ['something else long after the push', { createdAt: at + 600_000 }, { deployedAt: at + 600_000 }],
  ])('of what %s brought says no time since the push', (_, preview, view) => {
    const deployedAt = 'deployedAt' in view ? view.deployedAt : at;
    const note = text(preview, { firstHealthyAt: deployedAt, ...view });
    expect(note).toMatch(/\| 23 Nov 14:[01]2 UTC \|/);
    expect(note).not.toContain('after the push');
  });

  it('of what a push brought back says the time since the push, and of a reopening does not', () => {
    const view = viewOf({ createdAt: at - 38_000 }, { begunAnewAt: at - 90_000 });
    expect(renderNote(view)).toContain('41 s after the push');
    const facts = view.facts === null ? null : { ...view.facts, lastReopenedAt: at - 39_000 };
    expect(renderNote({ ...view, facts })).not.toContain('after the push');
  });

  it('of a fork says what it goes without, and what the configuration gives it by name', () => {
    const view = viewOf();
    const fork = { ...view, facts: view.facts === null ? null : { ...view.facts, sourceProjectId: 99 } };
    expect(renderNote(fork)).toContain("no copied secrets, no linked preview, and no repository but this project's.\n");
    expect(renderNote({ ...fork, forkGets: { secrets: false, repositories: false, linked: true } })).toContain(
      'no linked preview before a member approved a commit of it, and',
    );
    expect(renderNote({ ...fork, forkGets: { secrets: true, repositories: true } })).toContain(
      "no copied secrets but those that `secrets` gives to forks, no linked preview, and no repository but this project's and those of `follow.forkRepositories`.",
    );
    expect(text()).not.toContain('fork');
  });

  it('of one without an address has no link', () => {
    expect(text({ url: null })).toContain('### 🟢 Preview ready\n');
    expect(text({ url: 'javascript:alert(1)' })).toContain('### 🟢 Preview ready\n');
  });

  it('that waits for its pipeline says since when, and how to do without', () => {
    const next = {
      sha,
      waitingFor: 'pipeline',
      since: at,
      detail: noPipelineDetail,
      link: null,
      stuck: false,
    } as const;
    const waiting = { phase: 'waiting', waitingFor: 'pipeline', waitingSince: at } as const;
    const note = text({ ...waiting, members: [memberOf({ wantedSha: null, deployedSha: null, next })] });
    expect(note).toContain('waits for its pipeline, since 23 Nov 14:02 UTC.');
    expect(note).toContain('`gate.pipeline: none`');
  });

  it('that waits for jobs says how many, in its own words', () => {
    const next = {
      sha,
      waitingFor: 'pipeline',
      since: at,
      detail: 'Jobs not finished yet: 1 of 2.',
      link: null,
      stuck: false,
    } as const;
    const waiting = { phase: 'waiting', waitingFor: 'pipeline', waitingSince: at } as const;
    const note = text({ ...waiting, members: [memberOf({ wantedSha: null, deployedSha: null, next })] });
    expect(note).toContain('UTC. Jobs not finished yet: 1 of 2.\n');
  });

  it('that waits in line says its place', () => {
    const waiting = { phase: 'waiting', waitingFor: 'slot', waitingSince: at } as const;
    expect(text(waiting, { line: { place: 3, length: 7 } })).toContain('a free place (3rd of 7 in line)');
    expect(text(waiting, { line: { place: 11, length: 12 } })).toContain('(11th of 12 in line)');
  });

  it('that deploys says what, and what ran before', () => {
    const note = text({ phase: 'deploying', deployingSince: at, members: [memberOf({ deployedSha: olderSha })] });
    expect(note).toBe(`${noteMarker}

### 🟡 Preview deploying: ${link}

Commit ${newer} is being deployed, since 23 Nov 14:02 UTC. The link still shows commit ${older}, as long as that runs.

| Commit | Deployed | Expires | Namespace |
|---|---|---|---|
| ${older} | 23 Nov 14:02 UTC | 26 Nov 14:02 UTC | \`preview-shop-42\` |

\`/preview extend 2d\` · \`/preview pin\` · \`/preview stop\` · \`/preview help\`
`);
  });

  it('that failed shows the older commit that may still run, and until when', () => {
    const note = text({ phase: 'failed', cause: 'apply', members: [memberOf({ deployedSha: olderSha })] });
    expect(note).toContain(`### 🔴 Preview failed: ${link}\n\n${newer}: The cluster refused an object.`);
    expect(note).toContain(`\n\nThe link still shows commit ${older}, as long as that runs.\n\n| Commit | Deployed |`);
    expect(note).toContain(`| ${older} | 23 Nov 14:02 UTC | 26 Nov 14:02 UTC | \`preview-shop-42\` |`);
  });

  it.each(['waiting', 'deploying', 'failed'] as const)(
    'of one that was never deployed (%s) has no link yet',
    (phase) => {
      const note = text({ phase, members: [memberOf({ deployedSha: null })] }, { deployedAt: null });
      expect(note).not.toContain('preview.example.com');
      expect(note).toContain(`| ${newer} | not yet | 26 Nov 14:02 UTC | \`preview-shop-42\` |`);
    },
  );

  it('that fails at what was deployed has the link, and no older commit', () => {
    const note = text({ phase: 'failed', cause: 'health' });
    expect(note).toContain(`### 🔴 Preview failed: ${link}\n`);
    expect(note).not.toContain('still shows');
  });

  it('says who has to act where no push mends it', () => {
    const diagnosis = { object: null, sentence: 'It is in the way.', evidence: [], mender: 'operator' } as const;
    const failed = (cause: 'apply' | 'push', view = {}) => text({ phase: 'failed', cause }, view);
    expect(failed('apply', { diagnosis })).toContain('**What to do:** This is for an operator; the reason above says');
    expect(failed('apply')).toContain('**What to do:** Correct the manifest and push;');
    // What the agent said of an earlier attempt is no advice on a push that was refused.
    expect(failed('push', { diagnosis })).toContain('Whoever administers that repository');
  });

  it('that failed has sentence, object, evidence and what to do', () => {
    const note = text(
      { phase: 'failed', cause: 'health', message: 'Back-off pulling image' },
      {
        diagnosis: {
          object: 'Deployment/web',
          sentence: 'Back-off pulling image',
          evidence: ['Failed: not found', 'panic: config'],
        },
      },
    );
    expect(note).toContain('`Back-off pulling image`');
    expect(note).toContain('Object: `Deployment/web`');
    expect(note).toContain('**What to do:**');
    expect(note).toContain(
      '<details><summary>Events and logs</summary>\n\n```text\nFailed: not found\npanic: config\n```',
    );
  });

  it('shows the log behind the events, or where it is', () => {
    const diagnosis = { object: 'Pod/web', sentence: 'It crashes', evidence: ['BackOff Pod/web: again'] };
    const failed = { phase: 'failed', cause: 'health', message: 'It crashes' } as const;
    const shown = text(failed, { diagnosis: { ...diagnosis, logs: ['panic: config', '```', '@all </details>'] } });
    expect(shown).toContain('The last lines of its log:\n\n````text\npanic: config\n```\n@all </details>\n````');
    const withheld = text(failed, { diagnosis: { ...diagnosis, logs: [], logsWithheld: true } });
    expect(withheld).toContain('BackOff Pod/web: again');
    expect(withheld).toContain('Its log is shown on the dashboard alone.');
    expect(text(failed, { diagnosis: { ...diagnosis, evidence: [], logs: ['a line'] } })).toContain('a line');
  });

  it('shows the next commit beside the one that runs', () => {
    const next = {
      sha: olderSha,
      waitingFor: 'pipeline',
      since: at,
      detail: 'The job build failed.',
      link: null,
      stuck: false,
    } as const;
    const note = text({ members: [memberOf({ next })] });
    expect(note).toContain('Next: commit `9f8e7d6c` waits for its pipeline');
    expect(note).toContain('. The job `build` failed.');
  });

  it.each<[StopReason, string]>([
    ['merged', 'was merged'],
    ['closed', 'Reopen it'],
    ['expired', '/preview start'],
    ['command', '/preview start'],
    ['operator', '/preview start'],
    ['git', 'put the file back'],
    ['label', 'It comes back once its labels let it.'],
    ['unfollowed', 'configuration'],
  ])('of one that ended (%s) says why, when, by whom and what brings it back', (stopReason, words) => {
    const note = text({ phase: 'stopped', stopReason, stoppedAt: at, stoppedBy: 'ada' });
    expect(note).toContain(words);
    expect(note).toContain('by `ada`, 23 Nov 14:02 UTC');
    expect(note).not.toContain('/preview extend');
  });

  it('tells of a held stop and of an edited file', () => {
    expect(text({ heldStop: { reason: 'label', since: at } })).toContain('breaker');
    expect(text({ edited: 'edited' })).toContain('edited by hand');
    expect(text({ edited: 'refused' })).toContain('that edit is ignored');
  });

  it('repeats the answer to a command', () => {
    const answers = [{ line: '`/preview explode` is not a command.', by: 'eve', at, permitted: true }];
    expect(text({}, { answers })).toContain('> `eve`, 23 Nov 14:02 UTC: `/preview explode` is not a command.');
  });
});

describe('an outsider’s text', () => {
  const attacks = [
    '@root please',
    '/close',
    'x\n/merge\ny',
    '[click](https://evil.example)',
    '<img src=x onerror=alert(1)>',
    '`</code>` <a href="https://evil.example">x</a>',
    '``` \n</details>\n<script>alert(1)</script>',
    '````\n/approve\n````',
    'https://evil.example',
    '![x](https://evil.example/p.png)',
    '| a | b |\n|---|---|',
    '#1 !2 ~bug %3 $4',
    '\u202e txt \u0000 \u200b',
    '<!-- mayfly:preview -->',
  ];

  const views = (attack: string) => [
    text(
      { phase: 'failed', cause: 'health', message: attack },
      { diagnosis: { object: attack, sentence: attack, evidence: [attack, attack] } },
    ),
    text({ phase: 'stopped', stopReason: 'command', stoppedBy: attack, stoppedAt: at }),
    text({
      members: [
        memberOf({ next: { sha, waitingFor: 'pipeline', since: at, detail: attack, link: null, stuck: false } }),
      ],
    }),
    text({}, { answers: [{ line: 'ours', by: attack, at, permitted: false }] }),
  ];

  it.each(attacks)('%j stays inside code', async (attack) => {
    for (const note of views(attack)) {
      const html = await marked.parse(note, { gfm: true });
      const outside = html
        .replace(/<pre>[\s\S]*?<\/pre>/g, '')
        .replace(/<code[^>]*>[\s\S]*?<\/code>/g, '')
        .replace(/<!-- mayfly:preview -->/, '')
        .replace(/<a href="https:\/\/(?:gitlab|shop-42\.preview)\.example\.com[^"]*">/g, '');
      for (const trace of ['evil', '@root', 'onerror', 'script', 'img', '~bug', '!2', 'mayfly:preview', '\u202e']) {
        expect(outside).not.toContain(trace);
      }
      // A quick action stands at the start of a line, outside of code.
      expect(outside).not.toMatch(/^\/(close|merge|approve)/m);
      expect((html.match(/<details>/g) ?? []).length).toBe((html.match(/<\/details>/g) ?? []).length);
    }
  });

  it('is cut when it is long', () => {
    const evidence = Array.from({ length: 500 }, (_, index) => `${index} ${'x'.repeat(4_000)}`);
    const note = text(
      { phase: 'failed', cause: 'health', message: 'y'.repeat(9_000) },
      { diagnosis: { object: null, sentence: '', evidence } },
    );
    expect(note.length).toBeLessThan(30_000);
    expect(note).toContain('499 ');
  });
});

describe('a preview that sleeps', () => {
  it.each([
    ['order', 'It was put to sleep.'],
    ['idle', 'nobody used it for a while'],
    ['schedule', 'outside its hours'],
  ] as const)('says why (%s), and how it is woken', (sleepCause, words) => {
    const note = renderNote(
      viewOf({ phase: 'asleep', wantAsleep: true, sleepCause }, { wakeUrl: 'https://m.test/wake/shop-42' }),
    );
    expect(note).toContain('🌙 Preview asleep');
    expect(note).toContain(words);
    expect(note).toContain('[this page](https://m.test/wake/shop-42), write `/preview wake`, or push');
  });
});
