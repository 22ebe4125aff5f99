import type { Command } from '../../preview/command.js';
import type { Instant } from '../../preview/preview.js';

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
  wishes: readonly { kind: 'start' | 'stop' | 'extend'; amountMs: number | null; ordinal: number }[];
  /** null: it held no command, so it is not answered. */
  answer: {
    emoji: 'thumbsup' | 'thumbsdown';
    /** One sentence for Mayfly's note; null: the emoji says it all. */
    line: string | null;
  } | null;
}

/** GitLab's access level of the role Developer. */
const developerAccess = 30;

/** `/preview help`, as a line of the note. */
const helpLine =
  'Commands: `/preview status`, `/preview start`, `/preview stop`, `/preview extend 2d`, `/preview help`. They are for members with the role Developer.';

/** What a comment orders, and what its author is told. Pure; `access` is the author's level in the target project. */
export function judgeNote(note: CommandNote, commands: readonly Command[], access: number): HandledNote {
  const base = { noteId: note.id, at: note.createdAt, by: note.authorUsername };
  if (commands.length === 0) return { ...base, wishes: [], answer: null };
  if (access < developerAccess) {
    return refused(base, 'Commands are for members of this project with the role Developer.');
  }
  // Somebody else may have edited it; an emoji moves its time too, which a second comment makes good.
  if (note.createdAt !== note.updatedAt) {
    return refused(base, 'That comment was changed before it was read, so its commands do not count: write a new one.');
  }
  const problems = commands.flatMap((command) => (command.kind === 'invalid' ? [command.problem] : []));
  const lines = [...problems, ...commands.flatMap((command) => answerLine(command))];
  return {
    ...base,
    wishes: commands.flatMap((command) => wishOf(command)),
    answer: {
      emoji: problems.length > 0 ? 'thumbsdown' : 'thumbsup',
      line: lines.length === 0 ? null : [...new Set(lines)].join(' '),
    },
  };
}

function refused(base: Pick<HandledNote, 'noteId' | 'at' | 'by'>, line: string): HandledNote {
  return { ...base, wishes: [], answer: { emoji: 'thumbsdown', line } };
}

function wishOf(command: Command): HandledNote['wishes'] {
  switch (command.kind) {
    case 'start':
    case 'stop':
      return [{ kind: command.kind, amountMs: null, ordinal: command.ordinal }];
    case 'extend':
      return [{ kind: 'extend', amountMs: command.amountMs, ordinal: command.ordinal }];
    case 'help':
    case 'status':
    case 'invalid':
      return [];
    default:
      return command satisfies never;
  }
}

function answerLine(command: Command): string[] {
  if (command.kind === 'help') return [helpLine];
  return command.kind === 'status' ? ['The status is what this note says.'] : [];
}
