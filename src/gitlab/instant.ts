import { z } from 'zod';
import type { Instant } from '../preview/preview.js';

/** GitLab's time stamps: ISO 8601 in the API, also `2013-12-03 17:23:34 UTC` in webhooks. */
export const instant = z.string().transform((text, context): Instant => {
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return at;
  context.addIssue('not a time');
  return z.NEVER;
});
