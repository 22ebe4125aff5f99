import type { Command } from '../../preview/command.js';
import { commandLimit } from '../../preview/command-rate.js';
import { formatDuration } from '../../preview/duration.js';
import type { Wish } from '../../preview/facts.js';
import type { Instant } from '../../preview/preview.js';
import type { Settable } from '../../preview/setting.js';
import { helpLine, roleName } from './command-words.js';
import { type Head, judgeApproval, judgeSetting, type Ordered, type Problem } from './judge-order.js';

/** A comment as the API shows it. Body and name are an outsider's text. */
export interface CommandNote {
  id: number;
  body: string;
  authorId: number;
  authorUsername: string;
  createdAt: Instant;
  updatedAt: Instant;
  system: boolean;
}

/** What was made of one comment. */
export interface HandledNote {
  noteId: number;
  /** GitLab's time of the comment. */
  at: Instant;
  by: string;
  wishes: readonly OrderedWish[];
  /** How many commands it held; 0: it came over the limit. */
  commands: number;
  /** The author had the role that commands need. */
  permitted: boolean;
  /** null: it held no command, so it is not answered. */
  answer: {
    /** null: none is put, for its author was told already. */
    emoji: 'thumbsup' | 'thumbsdown' | null;
    /** One sentence for Mayfly's note; null: the emoji says it all. */
    line: string | null;
  } | null;
}

interface OrderedWish {
  kind: Wish['kind'];
  amountMs: number | null;
  ordinal: number;
  /** What the order is about; null: it needs nothing more. */
  detail: Pick<Wish, 'sha' | 'key' | 'value'> | null;
  /** The order as the history tells it, such as `extend 2d`. */
  text: string;
}

/** What a comment is judged by. */
export interface JudgeContext {
  /** The author's access level in the target project. */
  access: number;
  /** The least that commands need. */
  level: number;
  settable: Settable;
  /** The newest commit as GitLab shows it now; null: no command asked for it. */
  head: Head | null;
}

/** What a comment orders, and what its author is told. Pure. */
export function judgeNote(note: CommandNote, commands: readonly Command[], context: JudgeContext): HandledNote {
  const permitted = context.access >= context.level;
  const base = { noteId: note.id, at: note.createdAt, by: note.authorUsername, commands: commands.length, permitted };
  if (commands.length === 0) return { ...base, wishes: [], answer: null };
  if (!permitted) {
    return refused(base, `Commands are for members of this project with the role ${roleName(context.level)} or above.`);
  }
  // Somebody else may have edited it; an emoji moves its time too, which a second comment makes good.
  if (note.createdAt !== note.updatedAt) {
    return refused(base, 'That comment was changed before it was read, so its commands do not count: write a new one.');
  }
  const judged = commands.map((command) => judgeCommand(command, note, context));
  const problems = judged.flatMap((each) => (each.kind === 'problem' ? [each.words] : []));
  const lines = [...problems, ...judged.flatMap((each) => (each.kind === 'answer' ? [each.words] : []))];
  return {
    ...base,
    wishes: judged.flatMap((each) => (each.kind === 'order' ? [each.wish] : [])),
    answer: {
      emoji: problems.length > 0 ? 'thumbsdown' : 'thumbsup',
      line: lines.length === 0 ? null : [...new Set(lines)].join(' '),
    },
  };
}

/**
 * A comment that came over the limit: told once in a while (`told`: it was), then passed over in silence. `permitted`:
 * whether those before it were, for GitLab is not asked again.
 */
export function judgeTooMany(note: CommandNote, told: boolean, permitted: boolean): HandledNote {
  const base = { noteId: note.id, at: note.createdAt, by: note.authorUsername, commands: 0, permitted };
  const { commands, windowMs } = commandLimit;
  const line = `More than ${commands} commands in ${formatDuration(windowMs)}: those that follow are passed over. Wait a while, then write them again.`;
  return { ...base, wishes: [], answer: told ? { emoji: null, line: null } : { emoji: 'thumbsdown', line } };
}

function refused(
  base: Pick<HandledNote, 'noteId' | 'at' | 'by' | 'commands' | 'permitted'>,
  line: string,
): HandledNote {
  return { ...base, wishes: [], answer: { emoji: 'thumbsdown', line } };
}

type Judged = Problem | { kind: 'order'; wish: OrderedWish } | { kind: 'answer'; words: string };

function judgeCommand(command: Command, note: CommandNote, context: JudgeContext): Judged {
  const { ordinal } = command;
  switch (command.kind) {
    case 'invalid':
      return { kind: 'problem', words: command.problem };
    case 'help':
      return { kind: 'answer', words: helpLine(context.level, Object.keys(context.settable)) };
    case 'status':
      return { kind: 'answer', words: 'The status is what this note says.' };
    case 'approve':
      return withOrdinal(ordinal, judgeApproval(command.sha, context.head, note.createdAt));
    case 'set':
      return withOrdinal(ordinal, judgeSetting(context.settable, command.key, command.text));
    case 'unset':
      return withOrdinal(ordinal, judgeSetting(context.settable, command.key, null));
    case 'extend': {
      const { amountMs } = command;
      const text = amountMs === null ? 'extend' : `extend ${formatDuration(amountMs)}`;
      return { kind: 'order', wish: { kind: 'extend', amountMs, ordinal, detail: null, text } };
    }
    case 'start':
    case 'stop':
    case 'redeploy':
    case 'pin':
    case 'unpin':
    case 'sleep':
    case 'wake':
      return { kind: 'order', wish: { kind: command.kind, amountMs: null, ordinal, detail: null, text: command.kind } };
    default:
      return command satisfies never;
  }
}

function withOrdinal(ordinal: number, judged: Ordered): Judged {
  return judged.kind === 'problem' ? judged : { kind: 'order', wish: { ...judged.wish, amountMs: null, ordinal } };
}
