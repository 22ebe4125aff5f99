import type { Wish } from '../../preview/facts.js';
import type { Instant } from '../../preview/preview.js';
import { describeSetting, parseSetting, type Settable } from '../../preview/setting.js';

/** The newest commit of a merge request. */
export interface Head {
  /** null: it has none. */
  sha: string | null;
  /** GitLab's time of its push; null: not known. */
  pushedAt: Instant | null;
  isFork: boolean;
}

/** Why a command is refused, in one sentence for its author. */
export interface Problem {
  kind: 'problem';
  words: string;
}

/** What one command comes to. */
export type Ordered =
  | Problem
  | {
      kind: 'order';
      wish: { kind: Wish['kind']; detail: Pick<Wish, 'sha' | 'key' | 'value'>; text: string };
    };

/**
 * An approval of one sha, the newest that GitLab shows while the comment is judged. What was pushed after the comment,
 * and whatever comes from a fork, is approved only by its whole sha: a commit that begins with given digits can be
 * made, and swapped in.
 */
export function judgeApproval(written: string | null, head: Head | null, writtenAt: Instant): Ordered {
  const sha = head?.sha ?? null;
  if (head === null || sha === null) return problem('There is no commit to approve.');
  const again = `Look at it, then write \`/preview approve ${sha}\`.`;
  if (written === null && head.isFork) {
    return problem(
      `An approval of what comes from a fork names its commit; the newest is \`${sha.slice(0, 8)}\`. ${again}`,
    );
  }
  if (written !== null && written.length < sha.length && head.isFork) {
    return problem(`An approval of what comes from a fork names its whole sha. ${again}`);
  }
  if (written !== null && !sha.startsWith(written)) {
    return problem(`\`${written.slice(0, 12)}\` is not the newest commit, which is \`${sha.slice(0, 8)}\`. ${again}`);
  }
  if (written !== sha && (head.pushedAt === null || head.pushedAt > writtenAt)) {
    return problem(`\`${sha.slice(0, 8)}\` was pushed after that comment. ${again}`);
  }
  return { kind: 'order', wish: { kind: 'approve', detail: { sha }, text: `approve ${sha.slice(0, 8)}` } };
}

/** A value for a key that the configuration lets be set, read by the type of the configured value; null takes it back. */
export function judgeSetting(settable: Settable, key: string, text: string | null): Ordered {
  const type = Object.hasOwn(settable, key) ? settable[key] : undefined;
  if (type === undefined) {
    const keys = Object.keys(settable).map((each) => `\`${each}\``);
    const known = keys.length === 0 ? 'Nothing can be set here.' : `What can be set: ${keys.join(', ')}.`;
    return problem(`\`${key}\` cannot be set. ${known}`);
  }
  if (text === null) return { kind: 'order', wish: { kind: 'unset', detail: { key }, text: `unset ${key}` } };
  const value = parseSetting(type, text);
  if (value === undefined) return problem(`\`${key}\` must be ${describeSetting(type)}.`);
  return { kind: 'order', wish: { kind: 'set', detail: { key, value }, text: `set ${key}=${String(value)}` } };
}

function problem(words: string): Problem {
  return { kind: 'problem', words };
}
