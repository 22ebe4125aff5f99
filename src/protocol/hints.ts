import { z } from 'zod';

/** Data of an event `head` of `GET /agent/v1/hints`: sent on connect and at each change of the branch. */
export const hintSchema = z.object({ branchCommit: z.string().max(64).nullable() });

export type Hint = z.infer<typeof hintSchema>;
