import { describe, expect, it } from 'vitest';
import { absentLine, renderAbsentNote, whyNone } from '../../../src/manager/feedback/absent-note.js';
import { answerOf } from '../../../src/manager/feedback/answer-words.js';
import type { Spoken } from '../../../src/manager/feedback/view.js';
import type { MergeRequestFacts, Wish } from '../../../src/preview/facts.js';
import type { Policy } from '../../../src/preview/policy.js';
import { basePolicy } from '../../preview/model/world.js';
import { now, someFacts } from '../../preview/samples.js';
import { at, viewOf } from './view.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const extend: Spoken['orders'] = [{ kind: 'extend', amountMs: 30 * dayMs }];

function spokenOf(change: Partial<Spoken> = {}): Spoken {
  return { by: 'ada', at, line: null, orders: [], ...change };
}

function wishOf(change: Partial<Wish> = {}): Wish {
  return { kind: 'start', source: 'command', amountMs: null, at: now - 60_000, by: 'ada', ...change };
}

function follow(change: Partial<Policy['follow']>): Policy {
  return { ...basePolicy, follow: { ...basePolicy.follow, ...change } };
}

function why(policy: Policy, facts: Partial<MergeRequestFacts> = {}, wishes: Wish[] = []): string {
  const none = whyNone({ policy, facts: someFacts(facts), wishes, now });
  return none === null ? '' : `${none.why}. ${none.way}`.trim();
}

describe('why there is no preview', () => {
  const allTheSame = 'Write `/preview start` to have one all the same.';
  const changes = 'It gets one as soon as that changes.';
  it.each([
    ['draft', follow({ drafts: false }), { draft: true }, `it is a draft (\`follow.drafts: false\`). ${allTheSame}`],
    ['opt-in', follow({ optInLabel: 'preview' }), {}, allTheSame],
    [
      'missing label',
      follow({ labelsAny: ['demo'] }),
      {},
      `it has none of the labels demo of \`follow.labels.any\`. ${allTheSame}`,
    ],
    [
      'veto',
      follow({ labelsNone: ['no-preview'] }),
      { labels: ['no-preview'] },
      `it has the label no-preview of \`follow.labels.none\`. ${changes}`,
    ],
    [
      'target',
      follow({ targetBranches: ['release/*'] }),
      {},
      `it${'s target branch is none of `follow.targetBranches`'}. ${changes}`,
    ],
    [
      'fork',
      follow({ forks: 'never' }),
      { sourceProjectId: 9 },
      `it comes from a fork (\`follow.forks: never\`). ${changes}`,
    ],
    ['draft and fork', follow({ forks: 'never', drafts: false }), { sourceProjectId: 9, draft: true }, changes],
    ['closed', basePolicy, { state: 'closed' }, 'the merge request was closed. Reopen it to have one.'],
    ['merged', basePolicy, { state: 'merged' }, 'the merge request was merged.'],
    ['no commit', basePolicy, { sha: null }, 'it has no commit. It gets one with the first push.'],
  ] as const)('%s', (_, policy, facts, words) => {
    expect(why(policy, { ...facts, labels: 'labels' in facts ? [...facts.labels] : [] })).toContain(words);
  });

  it('names who stopped it, whatever the name is', () => {
    expect(why(basePolicy, {}, [wishOf({ kind: 'stop', by: '`@all`' })])).toContain(
      "by `'@all'`. Write `/preview start`",
    );
  });

  it('is nothing where one is about to begin', () => {
    expect(whyNone({ policy: basePolicy, facts: someFacts(), wishes: [], now })).toBeNull();
    expect(renderAbsentNote(null, null)).toContain('No preview yet');
  });

  it('is asked of GitLab first', () => {
    expect(whyNone({ policy: basePolicy, facts: null, wishes: [], now })?.why).toContain('GitLab has not shown');
  });
});

describe('the note of a merge request without a preview', () => {
  const none = { why: 'it is a draft', way: 'Write more.' };
  it.each([
    [extend, 'There is no preview for `extend 30d` now; the next one goes by it.'],
    [[{ kind: 'redeploy', amountMs: null }], 'There is no preview for `redeploy` now.'],
    [[...extend, { kind: 'start', amountMs: null }], 'Nothing starts: it is a draft.'],
    [[{ kind: 'stop', amountMs: null }], null],
  ] as const)('answers %j', (orders, line) => {
    const answer = absentLine(spokenOf({ orders }), none);
    expect(answer?.line ?? null).toBe(line);
    const note = renderAbsentNote(none, answer);
    expect(note).toContain('This merge request has no preview: it is a draft. Write more.');
    if (line !== null) expect(note).toContain(`> \`ada\`, 23 Nov 14:02 UTC: ${line}`);
  });

  it('says what was wrong with a command besides', () => {
    const line = absentLine(spokenOf({ line: '`x` cannot be set.', orders: extend }), none)?.line;
    expect(line).toBe('`x` cannot be set. There is no preview for `extend 30d` now; the next one goes by it.');
  });
});

describe('an extension past the longest life', () => {
  const createdAt = at - dayMs;
  const longest = { createdAt, expiresAt: createdAt + 14 * dayMs };
  const line = (preview: object, change: object = {}) =>
    answerOf(viewOf(preview, { spoken: spokenOf({ orders: extend }), ...change }), { none: null, maxMs: 14 * dayMs })
      ?.line;

  it('is told to be cut, and to when', () => {
    expect(line(longest)).toBe(
      '`extend 30d` was cut: it ends 6 Dec 14:02 UTC, because a preview lives for 14d at most (`lifetime.max`). `/preview pin` keeps it longer.',
    );
  });

  it.each([
    ['it comes to what was asked for', { expiresAt: at + 31 * dayMs, createdAt }, {}],
    ['its decision is still to come', { expiresAt: at + dayMs, createdAt }, {}],
    ['it is pinned', { ...longest, pinnedBy: 'ada' }, {}],
    ['something else was ordered', longest, { spoken: spokenOf({ orders: [{ kind: 'redeploy', amountMs: null }] }) }],
  ])('is not when %s', (_, preview, change) => {
    expect(line(preview, change)).toBeUndefined();
  });

  it('and after the merge says that it changes nothing', () => {
    const view = viewOf({ createdAt }, { spoken: spokenOf({ orders: extend }) });
    const facts = view.facts === null ? null : { ...view.facts, state: 'merged' as const };
    expect(answerOf({ ...view, facts }, { none: null, maxMs: 14 * dayMs })?.line).toContain(
      'for the merge request was merged',
    );
  });
});

describe('after the end of a preview', () => {
  const none = { why: 'it is a draft', way: '' };
  const ended = { phase: 'stopped', stopReason: 'unfollowed', stoppedAt: at } as const;
  const line = (spoken: Partial<Spoken>, given: typeof none | null = none) =>
    answerOf(viewOf(ended, { spoken: spokenOf({ at: at + 1, orders: extend, ...spoken }) }), {
      none: given,
      maxMs: null,
    })?.line;

  it('a command is told what stands against it', () => {
    expect(line({})).toContain('There is no preview for `extend 30d` now');
    expect(line({ orders: [{ kind: 'start', amountMs: null }] })).toBe('Nothing starts: it is a draft.');
  });

  it('what was said while it lived is said no more, such as of a refused command', () => {
    const answered = (answeredAt: number, spoken: Spoken | null, preview: Parameters<typeof viewOf>[0] = ended) => {
      const answer = { line: 'It was refused.', by: 'eve', at: answeredAt };
      return answerOf(viewOf(preview, { answer, spoken }), { none: null, maxMs: null })?.line;
    };
    expect(answered(at - 1, null)).toBeUndefined();
    expect(answered(at - 1, spokenOf({ at: at - 1, line: 'It was refused.' }))).toBeUndefined();
    expect(answered(at - 1, null, { ...ended, phase: 'stopping' })).toBeUndefined();
    // One comment may both stop it and hold what is refused.
    expect(answered(at, spokenOf({ at, line: 'It was refused.' }))).toBe('It was refused.');
    expect(answered(at - 1, null, {})).toBe('It was refused.');
  });

  it('those from before it, and those that bring it back, are told nothing', () => {
    expect(line({ at: at - 1 })).toBeUndefined();
    expect(line({}, null)).toBeUndefined();
  });
});
