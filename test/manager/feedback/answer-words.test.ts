import { describe, expect, it } from 'vitest';
import { absentAnswers, renderAbsentNote, whyNone } from '../../../src/manager/feedback/absent-note.js';
import { answersOf } from '../../../src/manager/feedback/answer-words.js';
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
  return { by: 'ada', at, permitted: true, line: null, orders: [], ...change };
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
    expect(renderAbsentNote(null, [])).toContain('No preview yet');
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
    const answers = absentAnswers([spokenOf({ orders })], none);
    expect(answers.map((answer) => answer.line)).toEqual(line === null ? [] : [line]);
    const note = renderAbsentNote(none, answers);
    expect(note).toContain('This merge request has no preview: it is a draft. Write more.');
    if (line !== null) expect(note).toContain(`> \`ada\`, 23 Nov 14:02 UTC: ${line}`);
  });

  it('says what was wrong with a command besides', () => {
    const line = absentAnswers([spokenOf({ line: '`x` cannot be set.', orders: extend })], none)[0]?.line;
    expect(line).toBe('`x` cannot be set. There is no preview for `extend 30d` now; the next one goes by it.');
  });
});

describe('an extension past the longest life', () => {
  const createdAt = at - dayMs;
  const longest = { createdAt, expiresAt: createdAt + 14 * dayMs };
  const line = (preview: object, change: object = {}) =>
    answersOf(viewOf(preview, { spoken: [spokenOf({ orders: extend })], ...change }), {
      none: null,
      maxMs: 14 * dayMs,
    })[0]?.line;

  it('is told to be cut, and to when', () => {
    expect(line(longest)).toBe(
      '`extend 30d` was cut: it ends 6 Dec 14:02 UTC, because a preview lives for 14d at most (`lifetime.max`). `/preview pin` keeps it longer.',
    );
  });

  it.each([
    ['it comes to what was asked for', { expiresAt: at + 31 * dayMs, createdAt }, {}],
    ['its decision is still to come', { expiresAt: at + dayMs, createdAt }, {}],
    ['it is pinned', { ...longest, pinnedBy: 'ada' }, {}],
    ['something else was ordered', longest, { spoken: [spokenOf({ orders: [{ kind: 'redeploy', amountMs: null }] })] }],
  ])('is not when %s', (_, preview, change) => {
    expect(line(preview, change)).toBeUndefined();
  });

  it('and after the merge says that it changes nothing', () => {
    const view = viewOf({ createdAt }, { spoken: [spokenOf({ orders: extend })] });
    const facts = view.facts === null ? null : { ...view.facts, state: 'merged' as const };
    expect(answersOf({ ...view, facts }, { none: null, maxMs: 14 * dayMs })[0]?.line).toContain(
      'for the merge request was merged',
    );
  });
});

describe('after the end of a preview', () => {
  const none = { why: 'it is a draft', way: '' };
  const ended = { phase: 'stopped', stopReason: 'unfollowed', stoppedAt: at } as const;
  const line = (spoken: Partial<Spoken>, given: typeof none | null = none) =>
    answersOf(viewOf(ended, { spoken: [spokenOf({ at: at + 1, orders: extend, ...spoken })] }), {
      none: given,
      maxMs: null,
    })[0]?.line;

  it('a command is told what stands against it', () => {
    expect(line({})).toContain('There is no preview for `extend 30d` now');
    expect(line({ orders: [{ kind: 'start', amountMs: null }] })).toBe('Nothing starts: it is a draft.');
  });

  it('what was said while it lived is said no more, such as of a refused command', () => {
    const answered = (answeredAt: number, preview: Parameters<typeof viewOf>[0] = ended) => {
      const spoken = [spokenOf({ at: answeredAt, line: 'It was refused.' })];
      return answersOf(viewOf(preview, { spoken }), { none: null, maxMs: null })[0]?.line;
    };
    expect(answered(at - 1)).toBeUndefined();
    expect(answered(at - 1, { ...ended, phase: 'stopping' })).toBeUndefined();
    // One comment may both stop it and hold what is refused.
    expect(answered(at)).toBe('It was refused.');
    expect(answered(at - 1, {})).toBe('It was refused.');
  });

  it('those from before it, and those that bring it back, are told nothing', () => {
    expect(line({ at: at - 1 })).toBeUndefined();
    expect(line({}, null)).toBeUndefined();
  });
});

describe('where several wrote commands', () => {
  const told = (spoken: Spoken[], preview = {}) =>
    answersOf(viewOf(preview, { spoken }), { none: null, maxMs: null }).map(({ by, line }) => `${by}: ${line}`);
  const minute = (count: number) => at + count * 60_000;
  const eves = (from: number) =>
    [0, 1, 2, 3].map((each) =>
      spokenOf({ by: `eve${each}`, at: minute(from + each), permitted: false, line: 'Members alone.' }),
    );

  it('each is told, the newest first, and each once', () => {
    const spoken = [
      spokenOf({ by: 'bob', at: minute(1), line: 'Not a command.' }),
      spokenOf({ by: 'ada', at: minute(3) }),
      spokenOf({ by: 'ada', at: minute(2), line: 'Newer.' }),
      spokenOf({ by: 'ada', at: minute(0), line: 'Older.' }),
    ];
    expect(told(spoken)).toEqual(['ada: Newer.', 'bob: Not a command.']);
  });

  it('no more than three are, and those who may not give commands push out nobody who may', () => {
    const members = ['ada', 'bob', 'cy', 'dan'].map((by, index) => spokenOf({ by, at: minute(index), line: 'No.' }));
    expect(told([...members, ...eves(10)])).toEqual(['dan: No.', 'cy: No.', 'bob: No.']);
    expect(told([...members.slice(0, 1), ...eves(10)])).toEqual([
      'eve3: Members alone.',
      'eve2: Members alone.',
      'ada: No.',
    ]);
  });

  it('what the end of a preview ended takes nobody’s place', () => {
    const members = ['ada', 'bob', 'cy'].map((by) => spokenOf({ by, at: minute(0), line: 'No.' }));
    const ended = { phase: 'stopped', stopReason: 'closed', stoppedAt: minute(5) } as const;
    expect(told([...members, ...eves(10).slice(0, 1)], ended)).toEqual(['eve0: Members alone.']);
  });

  it('an extension that was cut stays told when somebody else writes', () => {
    const createdAt = at - dayMs;
    const spoken = [...eves(1).slice(0, 1), spokenOf({ orders: extend })];
    const view = viewOf({ createdAt, expiresAt: createdAt + 14 * dayMs }, { spoken });
    const answers = answersOf(view, { none: null, maxMs: 14 * dayMs });
    expect(answers.map(({ by }) => by)).toEqual(['eve0', 'ada']);
    expect(answers[1]?.line).toContain('was cut');
  });

  it('those who are told the same share a line', () => {
    const answers = eves(0)
      .slice(0, 2)
      .concat(spokenOf({ by: 'ada', line: 'No\nwonder.', at: minute(3) }));
    const note = renderAbsentNote(null, absentAnswers(answers, null));
    expect(note).toContain(
      '\n\n> `ada`, 23 Nov 14:05 UTC: No wonder.\n>\n> `eve1`, 23 Nov 14:03 UTC; `eve0`, 23 Nov 14:02 UTC: Members alone.\n\n',
    );
  });
});
