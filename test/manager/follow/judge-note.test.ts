import { describe, expect, it } from 'vitest';
import { type CommandNote, type JudgeContext, judgeNote } from '../../../src/manager/follow/judge-note.js';
import { parseCommands } from '../../../src/preview/command.js';

const at = Date.UTC(2026, 2, 4, 10);

const head = { sha: `1a2b3c4d${'0'.repeat(32)}`, pushedAt: at - 60_000, isFork: false };
const rules: JudgeContext = { access: 30, level: 30, settable: { replicas: 'integer', greeting: 'text' }, head };

function judge(body: string, access = 30, change: Partial<CommandNote> = {}, context: Partial<JudgeContext> = {}) {
  const note: CommandNote = {
    id: 7,
    body,
    authorId: 1,
    authorUsername: 'ada',
    createdAt: at,
    updatedAt: at,
    system: false,
    ...change,
  };
  return judgeNote(note, parseCommands(body), { ...rules, access, ...context });
}

describe('a comment', () => {
  it('without a command is not answered', () => {
    expect(judge('looks good')).toMatchObject({ wishes: [], answer: null });
  });

  it('orders what it says, in order', () => {
    expect(judge('/preview extend 2d\nthanks\n/preview stop\n/preview start')).toEqual({
      noteId: 7,
      at,
      by: 'ada',
      permitted: true,
      commands: 3,
      wishes: [
        { kind: 'extend', amountMs: 172_800_000, ordinal: 0, detail: null, text: 'extend 2d' },
        { kind: 'stop', amountMs: null, ordinal: 1, detail: null, text: 'stop' },
        { kind: 'start', amountMs: null, ordinal: 2, detail: null, text: 'start' },
      ],
      answer: { emoji: 'thumbsup', line: null },
    });
  });

  it.each([0, 10, 20, 29])('of someone with access %i orders nothing', (access) => {
    const judged = judge('/preview stop', access);
    expect(judged.wishes).toEqual([]);
    expect(judged.answer).toMatchObject({ emoji: 'thumbsdown', line: expect.stringContaining('Developer') });
  });

  it('that was edited orders nothing', () => {
    const judged = judge('/preview stop', 50, { updatedAt: at + 1 });
    expect(judged.wishes).toEqual([]);
    expect(judged.answer?.emoji).toBe('thumbsdown');
  });

  it('with one good and one bad command does the good one and says what is wrong', () => {
    const judged = judge('/preview extend 1d\n/preview explode');
    expect(judged.wishes).toMatchObject([{ kind: 'extend', ordinal: 0 }]);
    expect(judged.answer).toMatchObject({ emoji: 'thumbsdown', line: expect.stringContaining('explode') });
  });

  it('that asks for help or the status is answered in the note', () => {
    expect(judge('/preview help').answer).toMatchObject({ emoji: 'thumbsup', line: expect.stringContaining('extend') });
    expect(judge('/preview status').answer).toMatchObject({ emoji: 'thumbsup', line: expect.any(String) });
  });
});

describe('the role that commands need', () => {
  it.each([
    [40, 30, 'Maintainer'],
    [50, 40, 'Owner'],
    [20, 10, 'Reporter'],
  ])('is %i: %i is not enough', (level, access, role) => {
    const judged = judge('/preview stop', access, {}, { level });
    expect(judged).toMatchObject({ wishes: [], answer: { emoji: 'thumbsdown', line: expect.stringContaining(role) } });
    expect(judge('/preview stop', level, {}, { level }).wishes).toHaveLength(1);
  });
});

describe('an approval', () => {
  const fork = { ...head, isFork: true };
  it.each([
    ['/preview approve', head],
    [`/preview approve ${head.sha.slice(0, 12)}`, head],
    [`/preview approve ${head.sha}`, fork],
    // The whole sha names one commit, whenever it was pushed.
    [`/preview approve ${head.sha}`, { ...fork, pushedAt: at + 1 }],
  ])('%s is of the whole sha', (body, newest) => {
    const judged = judge(body, 30, {}, { head: newest });
    expect(judged.wishes).toMatchObject([{ kind: 'approve', detail: { sha: head.sha }, text: 'approve 1a2b3c4d' }]);
    expect(judged.answer).toEqual({ emoji: 'thumbsup', line: null });
  });

  it.each([
    ['/preview approve', fork, 'names its commit'],
    ['/preview approve 2a2b3c4d5e6f', head, 'is not the newest commit'],
    [`/preview approve ${head.sha}0`, head, 'is not the newest commit'],
    ['/preview approve', { ...head, pushedAt: at + 1 }, 'was pushed after that comment'],
    [`/preview approve ${head.sha.slice(0, 12)}`, { ...head, pushedAt: at + 1 }, 'was pushed after that comment'],
    [`/preview approve ${head.sha.slice(0, 39)}`, { ...head, pushedAt: null }, 'was pushed after that comment'],
    // Whoever pushes to a fork can make a commit whose sha begins as they like.
    [`/preview approve ${head.sha.slice(0, 39)}`, fork, 'names its whole sha'],
    ['/preview approve', { ...head, sha: null }, 'no commit to approve'],
  ])('%s is refused when it could mean another commit', (body, newest, words) => {
    const judged = judge(body, 30, {}, { head: newest });
    expect(judged.wishes).toEqual([]);
    expect(judged.answer).toMatchObject({ emoji: 'thumbsdown', line: expect.stringContaining(words) });
    if (newest.sha !== null) expect(judged.answer?.line).toContain(`/preview approve ${newest.sha}`);
  });
});

describe('a value', () => {
  it.each([
    ['/preview set replicas=3', { key: 'replicas', value: 3 }],
    ['/preview set greeting=true', { key: 'greeting', value: 'true' }],
    ['/preview unset replicas', { key: 'replicas' }],
  ])('%s is ordered with the type of the configured one', (body, detail) => {
    expect(judge(body).wishes).toMatchObject([{ detail }]);
  });

  it.each([
    ['/preview set replicas=many', '`replicas` must be a whole number'],
    ['/preview set replicas=1.5', '`replicas` must be a whole number'],
    ['/preview set image=evil', '`image` cannot be set. What can be set: `replicas`, `greeting`'],
    ['/preview unset constructor', '`constructor` cannot be set'],
    [`/preview set greeting=${'x'.repeat(201)}`, 'at most 200 characters'],
    ['/preview set greeting=a\u202eb', 'without control characters'],
  ])('%s is refused', (body, words) => {
    expect(judge(body)).toMatchObject({ wishes: [], answer: { line: expect.stringContaining(words) } });
  });
});

describe('help', () => {
  it('names the keys that can be set', () => {
    const line = judge('/preview help').answer?.line ?? '';
    expect(line).toContain('KEY is `replicas` or `greeting`');
    for (const kind of ['sleep', 'wake']) expect(line).toContain(`\`${kind}\``);
    expect(judge('/preview help', 30, {}, { settable: {} }).answer?.line).not.toContain('set KEY');
  });

  it('and to sleep and to wake are orders', () => {
    for (const kind of ['sleep', 'wake']) {
      expect(judge(`/preview ${kind}`)).toMatchObject({ wishes: [{ kind }], answer: { emoji: 'thumbsup' } });
    }
  });
});
