import { parseDuration } from './duration.js';
import { markdownLines } from './markdown-lines.js';

/** One order in a comment; `invalid` carries what to tell its author. */
export type Command =
  | { kind: 'help' | 'status' | 'start' | 'stop'; ordinal: number }
  /** `amountMs` null: the configured TTL. */
  | { kind: 'extend'; ordinal: number; amountMs: number | null }
  | { kind: 'invalid'; ordinal: number; problem: string };

/** The longest that one `extend` may ask for. */
const maxExtendMs = 14 * 86_400_000;

/** The most commands that are read from one comment. */
const maxCommands = 20;

const plainKinds = ['help', 'status', 'start', 'stop'] as const;

/**
 * The `/preview …` lines of a comment, in order; `ordinal` is their position among them, from 0. Lines inside code,
 * HTML and quotes are not commands, as with GitLab's own quick actions.
 */
export function parseCommands(body: string): Command[] {
  return markdownLines(body)
    .flatMap((line) => {
      const match = /^\/preview(?:[ \t]+(.*))?$/i.exec(line.trimEnd());
      return match === null ? [] : [(match[1] ?? '').trim().split(/[ \t]+/)];
    })
    .slice(0, maxCommands)
    .map((words, ordinal) => parseCommand(words, ordinal));
}

function parseCommand([verb = '', ...args]: string[], ordinal: number): Command {
  const name = verb.toLowerCase();
  if (name === 'extend') {
    return parseExtend(args, ordinal);
  }
  // A bare `/preview` asks what there is.
  const kind = name === '' ? 'help' : plainKinds.find((known) => known === name);
  if (kind === undefined) {
    return invalid(ordinal, `\`/preview ${shown(verb)}\` is not a command; \`/preview help\` lists them.`);
  }
  return args.length === 0 ? { kind, ordinal } : invalid(ordinal, `\`/preview ${kind}\` takes nothing after it.`);
}

function parseExtend(args: string[], ordinal: number): Command {
  const [text] = args;
  if (text === undefined) {
    return { kind: 'extend', ordinal, amountMs: null };
  }
  const amountMs = args.length === 1 ? parseDuration(text.toLowerCase()) : null;
  if (amountMs === null || amountMs === 0) {
    return invalid(
      ordinal,
      `\`${shown(args.join(' '))}\` is not a duration; write one such as \`30m\`, \`2h\`, \`2d\` or \`1w\`.`,
    );
  }
  return amountMs > maxExtendMs
    ? invalid(ordinal, `\`/preview extend ${shown(text)}\` asks for more than 14 days.`)
    : { kind: 'extend', ordinal, amountMs };
}

function invalid(ordinal: number, problem: string): Command {
  return { kind: 'invalid', ordinal, problem };
}

/** An outsider's word inside a code span of ours: short, and without what could end the span. */
function shown(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._/+-]/gu, '?').slice(0, 40);
}
