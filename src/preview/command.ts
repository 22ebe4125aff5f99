import { parseDuration } from './duration.js';
import { markdownLines } from './markdown-lines.js';

const plainKinds = ['help', 'status', 'start', 'stop', 'redeploy', 'pin', 'unpin', 'sleep', 'wake'] as const;

/** One order in a comment; `invalid` carries what to tell its author. */
export type Command =
  | { kind: (typeof plainKinds)[number]; ordinal: number }
  /** `amountMs` null: the configured TTL. */
  | { kind: 'extend'; ordinal: number; amountMs: number | null }
  /** The beginning of a sha in lower case, as far as it was written; null: none was. */
  | { kind: 'approve'; ordinal: number; sha: string | null }
  /** The value as it was written: its type is the configured one's. */
  | { kind: 'set'; ordinal: number; key: string; text: string }
  | { kind: 'unset'; ordinal: number; key: string }
  | { kind: 'invalid'; ordinal: number; problem: string };

/** The longest that one `extend` may ask for. */
const maxExtendMs = 365 * 86_400_000;

/** The most commands that are read from one comment; its author is told of those beyond. */
const maxCommands = 20;

/** A key of `values`, as it may be written on a line. */
const keyPattern = /^[A-Za-z_][\w.-]{0,62}$/;

/**
 * The `/preview …` lines of a comment, in order; `ordinal` is their position among them, from 0. Lines inside code,
 * HTML and quotes are not commands, as with GitLab's own quick actions.
 */
export function parseCommands(body: string): Command[] {
  const written = markdownLines(body).flatMap((line) => {
    const match = /^\/preview(?:[ \t]+(.*))?$/i.exec(line.trimEnd());
    return match === null ? [] : [(match[1] ?? '').trim()];
  });
  const commands = written.slice(0, maxCommands).map((text, ordinal) => parseCommand(text, ordinal));
  return written.length <= maxCommands
    ? commands
    : [
        ...commands,
        invalid(maxCommands, `A comment may hold ${maxCommands} commands: those after them are passed over.`),
      ];
}

function parseCommand(text: string, ordinal: number): Command {
  const [verb = '', ...args] = text.split(/[ \t]+/);
  const name = verb.toLowerCase();
  switch (name) {
    case 'extend':
      return parseExtend(args, ordinal);
    case 'approve':
      return parseApprove(args, ordinal);
    case 'set':
      // The value may hold blanks: all that follows the sign is it.
      return parseSet(text.slice(verb.length).trim(), ordinal);
    case 'unset':
      return parseUnset(args, ordinal);
    default:
      return parsePlain(verb, args, ordinal);
  }
}

function parsePlain(verb: string, args: string[], ordinal: number): Command {
  const name = verb.toLowerCase();
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
    ? invalid(ordinal, `\`/preview extend ${shown(text)}\` asks for more than 365 days.`)
    : { kind: 'extend', ordinal, amountMs };
}

function parseApprove(args: string[], ordinal: number): Command {
  const [text] = args;
  if (text === undefined) {
    return { kind: 'approve', ordinal, sha: null };
  }
  const sha = text.toLowerCase();
  return args.length === 1 && /^[0-9a-f]{12,64}$/.test(sha)
    ? { kind: 'approve', ordinal, sha }
    : invalid(
        ordinal,
        `\`${shown(args.join(' '))}\` is not a commit; write at least 12 hexadecimal digits of its sha.`,
      );
}

function parseSet(text: string, ordinal: number): Command {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  const name = key.trim();
  if (name === '' || !keyPattern.test(name)) {
    return invalid(ordinal, `\`${shown(text)}\` is not a value; write one such as \`/preview set replicas=2\`.`);
  }
  return { kind: 'set', ordinal, key: name, text: value.trim() };
}

function parseUnset(args: string[], ordinal: number): Command {
  const [key = ''] = args;
  return args.length === 1 && keyPattern.test(key)
    ? { kind: 'unset', ordinal, key }
    : invalid(ordinal, `\`${shown(args.join(' '))}\` is not one key; write one such as \`/preview unset replicas\`.`);
}

function invalid(ordinal: number, problem: string): Command {
  return { kind: 'invalid', ordinal, problem };
}

/** An outsider's word inside a code span of ours: short, and without what could end the span. */
function shown(text: string): string {
  return text.replace(/[^\p{L}\p{N} ._/+-]/gu, '?').slice(0, 40);
}
