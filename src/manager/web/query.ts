import { z } from 'zod';
import { refuse } from './problem.js';

/** Checks a query or a body; what is wrong with it becomes the answer. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const detail = result.error.issues
    .map((issue) => {
      const path = issue.path.map(String).join('.');
      return path === '' ? issue.message : `${path}: ${issue.message}`;
    })
    .join('; ');
  throw refuse({ status: 400, code: 'bad-request', detail: `The request is not understood. ${detail}.` });
}

const cursorSchema = z.tuple([
  z
    .string()
    .max(63)
    .regex(/^[^\0]*$/),
  z.number().int(),
]);

/** Where the next page begins, as an opaque text. */
export function encodeCursor(after: { slug: string; incarnation: number }): string {
  return Buffer.from(JSON.stringify([after.slug, after.incarnation])).toString('base64url');
}

export function decodeCursor(cursor: string): { slug: string; incarnation: number } {
  const parsed = cursorSchema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (!parsed.success) {
    const detail = 'The cursor is none of ours. Take it from `next` of the page before.';
    throw refuse({ status: 400, code: 'bad-cursor', detail });
  }
  const [slug, incarnation] = parsed.data;
  return { slug, incarnation };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
