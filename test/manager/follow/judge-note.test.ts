import { describe, expect, it } from 'vitest';
import { type CommandNote, judgeNote } from '../../../src/manager/follow/judge-note.js';
import { parseCommands } from '../../../src/preview/command.js';

const at = Date.UTC(2026, 2, 4, 10);

function judge(body: string, access = 30, change: Partial<CommandNote> = {}) {
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
  return judgeNote(note, parseCommands(body), access);
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
      wishes: [
        { kind: 'extend', amountMs: 172_800_000, ordinal: 0 },
        { kind: 'stop', amountMs: null, ordinal: 1 },
        { kind: 'start', amountMs: null, ordinal: 2 },
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
