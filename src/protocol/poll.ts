import { z } from 'zod';
import { observationStates } from './observations.js';

const pair = { slug: z.string().max(63), incarnation: z.number().int().positive() };

/** What the agent's breaker holds back. */
const breakerSchema = z.object({
  open: z.boolean(),
  /** Why the agent deletes nothing: the limit, or one of the states in which it does nothing at all. */
  reason: z
    .enum([
      'limit',
      'rewritten',
      'installation-missing',
      'installation-changed',
      'applications-missing',
      'all-files-gone',
    ])
    .nullable(),
  pending: z.array(z.object(pair)).max(10_000),
});

/** Body of `POST /agent/v1/poll`. */
export const pollSchema = z.object({
  branchCommit: z.string().max(64).nullable(),
  living: z.array(z.object({ ...pair, state: z.enum(observationStates) })).max(100_000),
  orphans: z.array(z.object({ namespace: z.string().max(63), slug: z.string().max(253).nullable() })).max(10_000),
  breaker: breakerSchema,
  /** Orders that were carried out since the last poll. */
  acknowledged: z.array(z.number().int()).max(1_000),
});

const orderSchema = z.object({
  id: z.number().int(),
  kind: z.enum(['pause', 'resume', 'unblock', 'remove-orphan', 'accept']),
  slug: z.string().optional(),
  incarnation: z.number().int().optional(),
  by: z.string(),
});

/**
 * Answer to a poll; an order is repeated until it is acknowledged. `unheard`: living previews of which the manager has
 * no observation, so that the agent says once more what it sees; absent from an older manager.
 */
export const pollAnswerSchema = z.object({
  orders: z.array(orderSchema),
  unheard: z.array(z.object(pair)).default([]),
});

export type Poll = z.infer<typeof pollSchema>;
export type PollAnswer = z.infer<typeof pollAnswerSchema>;
export type Order = z.infer<typeof orderSchema>;
export type BreakerReport = z.infer<typeof breakerSchema>;
