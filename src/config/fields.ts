import { z } from 'zod';
import { parseDuration } from '../preview/duration.js';

/**
 * Building blocks of both configuration files. A check's message is a sentence that says what is wrong and what is
 * right; `explain-issue.ts` adds those for values that are missing or of another type.
 */

/** A text that is not empty. */
export function text(expected?: string) {
  return z.string(expected === undefined ? undefined : typed(expected)).min(1, 'empty. Give it a value.');
}

/** One line that is shown or sent as it is. */
export function line(maxLength = 255) {
  return text()
    .max(maxLength, `longer than ${maxLength} characters. Shorten it.`)
    .refine((value) => !/\p{Cc}/u.test(value), 'has a line break or a control character. Remove it.');
}

/** A bearer token or a password: it travels in a header. */
export function secret() {
  return text().refine((value) => /^[\x21-\x7e]+$/.test(value), 'has a blank or a control character. Remove it.');
}

/** One secret, or several while one is rotated; always a list when it is read. */
export function secrets() {
  return oneOrMany(secret());
}

function oneOrMany<T extends z.ZodType>(item: T) {
  const asList = (value: unknown) => (value === undefined || value === null || Array.isArray(value) ? value : [value]);
  return z
    .preprocess(
      asList,
      z.array(item, typed('a text or a list of texts')).min(1, 'an empty list. Remove the key or fill it.'),
    )
    .meta({ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] });
}

/** `72h`, `14d`, `10m`, `30s`, `1d12h` → milliseconds, at least a second and at most ten years. */
export function duration(least: '0s' | '1s' = '1s') {
  const expected = 'a duration such as 72h, 14d, 10m or 30s';
  return z
    .string(typed(expected))
    .transform((value, context) => {
      const durationMs = parseDuration(value);
      const problem =
        durationMs === null
          ? `not ${expected}.`
          : least === '1s' && durationMs < 1_000
            ? 'too short. The least is 1s.'
            : durationMs > 3_650 * 86_400_000
              ? 'too long. The most is 3650d.'
              : null;
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      return durationMs ?? z.NEVER;
    })
    .meta({ format: 'duration' });
}

/** A whole number; digits that came out of a variable count too. */
export function wholeNumber(least: number, most: number) {
  const message = `not a whole number from ${least} to ${most}.`;
  return z
    .preprocess(
      (value) => (typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value),
      z.number(typed('a whole number')).int(message).min(least, message).max(most, message),
    )
    .meta({ type: 'integer', minimum: least, maximum: most });
}

/** true or false; also as the text that a variable gives. */
export function flag() {
  return z
    .preprocess(
      (value) => (value === 'true' ? true : value === 'false' ? false : value),
      z.boolean(typed('true or false')),
    )
    .meta({ type: 'boolean' });
}

/** An http(s) URL without credentials, query or fragment; a slash at its end is dropped. */
export function webUrl() {
  return text('a URL').transform((value, context) => {
    const problem = urlProblem(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    return value.replace(/\/+$/, '');
  });
}

/** An http(s) URL as above, or `oci://` and the path of a registry. */
export function repositoryUrl() {
  return text('a URL').transform((value, context) => {
    // What holds for a web address holds for a registry's, but for the scheme.
    const problem = urlProblem(value.replace(/^oci:\/\//, 'https://'));
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    return value.replace(/\/+$/, '');
  });
}

function urlProblem(value: string): string | null {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return 'not a URL that begins with https:// (or http://).';
  }
  if (url.username !== '' || url.password !== '') {
    return 'has a user name or password in it, which would end up in logs. Use the key `token` for it.';
  }
  return url.search === '' && url.hash === '' ? null : 'has a ? or # part. Remove it.';
}

/** A name that becomes part of names in Kubernetes and Git. */
export function labelName(maxLength: number) {
  return text()
    .max(maxLength, `longer than ${maxLength} characters. Shorten it.`)
    .regex(
      /^[a-z]([a-z0-9-]*[a-z0-9])?$/,
      'may hold only a-z, 0-9 and -, begins with a letter and does not end in -. Rename it.',
    );
}

/** A folder inside a repository, without a slash at either end; `.` is its root. */
export function folder() {
  return text('a folder').transform((value, context) => {
    const trimmed = value.replace(/^\.\//, '').replace(/\/+$/, '');
    const parts = trimmed.split('/');
    const plain =
      trimmed === '.' || parts.every((part) => /^[^\p{Cc}\\]+$/u.test(part) && part !== '..' && part !== '.');
    if (!plain) {
      context.addIssue({
        code: 'custom',
        message: 'not a folder inside the repository, such as deploy/preview. Write it relative and without "..".',
      });
    }
    return trimmed;
  });
}

/** A pattern of branch names in which `*` stands for any text, slashes too. */
export function branchPattern() {
  return text().refine(
    (value) => !/[?[\]\\^~:\s]|^!|[{}]/.test(value),
    'holds what no branch pattern may: * is the only wildcard and stands for any text, so "release/*" or "*-fix". Write one entry for each alternative.',
  );
}

/** Git's rules for the name of a branch, as far as they can be told from the name. */
export function branchName() {
  return text().refine(
    (value) => !/[\s~^:?*[\\\p{Cc}]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\.lock$/u.test(value),
    'not a valid name of a branch.',
  );
}

/** The message for a value of another type; a missing value is explained elsewhere. */
export function typed(expected: string) {
  return {
    error: (issue: { input?: unknown }) =>
      issue.input === undefined || issue.input === null
        ? undefined
        : `must be ${expected}, not ${kindOf(issue.input)}.`,
  };
}

/** The kind of a YAML value in words, never the value. */
export function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  return typeof value === 'string' ? 'a text' : typeof value === 'boolean' ? 'true or false' : 'a number';
}
