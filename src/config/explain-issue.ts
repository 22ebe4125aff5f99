import type { z } from 'zod';
import { kindOf } from './fields.js';
import type { ConfigProblem } from './problem.js';
import { explainUnknownKey } from './unknown-key.js';
import type { YamlFile } from './yaml-file.js';

/** Checks a parsed file against a schema: either its value, or a problem for everything that is wrong with it. */
export function checkAgainst<T>(
  schema: z.ZodType<T>,
  file: YamlFile,
): { ok: true; value: T } | { ok: false; problems: ConfigProblem[] } {
  const result = schema.safeParse(file.value ?? {}, { error: explainIssue });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: result.error.issues.flatMap((issue) => problemsOf(schema, file, issue)) };
}

function problemsOf(schema: z.ZodType, file: YamlFile, issue: z.core.$ZodIssue): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      file.problemAt([...issue.path, key], explainUnknownKey(schema, issue.path, key), 'key'),
    );
  }
  return [file.problemAt(withoutListOfOne(file.value, issue.path), issue.message)];
}

/** A single value stands for a list of one: it has no `[0]` in the file. */
function withoutListOfOne(value: unknown, path: readonly PropertyKey[]): readonly PropertyKey[] {
  let node = value;
  for (const [index, key] of path.entries()) {
    if (typeof key === 'number' && !Array.isArray(node)) return path.slice(0, index);
    node = typeof node === 'object' && node !== null ? Reflect.get(node, key) : undefined;
  }
  return path;
}

/** A sentence for what the fields' own messages leave open. The value itself is never quoted: it may be a secret. */
function explainIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'missing. Add it.';
  if (issue.input === null) return 'empty. Give it a value.';
  if (issue.code === 'invalid_value') return `not one of ${issue.values.map(String).join(', ')}.`;
  if (issue.code !== 'invalid_type') return undefined;
  const braces =
    issue.expected === 'string' && typeof issue.input === 'object' ? ' A value with {{ }} needs quotes.' : '';
  const quotes = issue.expected === 'string' && typeof issue.input !== 'object' ? ' Put quotes around it.' : '';
  return `must be ${expectedInWords(issue.expected)}, not ${kindOf(issue.input)}.${braces}${quotes}`;
}

function expectedInWords(expected: string): string {
  const words: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a group of keys',
    record: 'a group of keys',
  };
  return words[expected] ?? expected;
}
