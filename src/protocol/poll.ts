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
  orphans: z
    .array(
      z.object({
        namespace: z.string().max(63),
        slug: z.string().max(253).nullable(),
        /** Absent from an older agent. */
        incarnation: z.number().int().positive().optional(),
      }),
    )
    .max(10_000),
  breaker: breakerSchema,
  /** Orders that were carried out since the last poll. */
  acknowledged: z.array(z.number().int()).max(1_000),
  /** What became of those of them that can fail; absent from an older agent. */
  outcomes: z
    .array(z.object({ id: z.number().int(), done: z.boolean(), detail: z.string().max(2_000) }))
    .max(1_000)
    .default([]),
  /**
   * What is not touched now, on a person's word: all previews of the agent, those of a project (its path), one preview
   * (its slug), or one whose namespace a person annotated (its slug). Absent from an older agent.
   */
  paused: z
    .array(
      z.object({
        scope: z.enum(['agent', 'project', 'preview', 'namespace']),
        name: z.string().max(1_000).nullable(),
        by: z.string().max(255).nullable(),
      }),
    )
    .max(10_000)
    .default([]),
});

const orderSchema = z.object({
  id: z.number().int(),
  kind: z.enum(['pause', 'resume', 'unblock', 'remove-orphan', 'accept']),
  slug: z.string().optional(),
  incarnation: z.number().int().optional(),
  /** For `pause` and `resume`: path of the project whose previews are meant. With neither it nor a slug: all. */
  project: z.string().optional(),
  /** For `unblock`: the one finalizer that is to be removed. */
  finalizer: z.string().optional(),
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
export type OrderOutcome = Poll['outcomes'][number];
export type BreakerReport = z.infer<typeof breakerSchema>;
