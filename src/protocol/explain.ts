import { z } from 'zod';

/** Body of `POST /agent/v1/explain`. */
export const explainSchema = z.object({
  deletions: z.array(z.object({ slug: z.string().max(63), incarnation: z.number().int().positive() })).max(10_000),
});

/**
 * One entry a deletion, in order; `explanation` is null when nobody can say why it is to go. `lives`: the manager wants
 * that very incarnation to go on; absent from an older one.
 */
export const explainAnswerSchema = z.object({
  deletions: z.array(
    z.object({
      slug: z.string(),
      incarnation: z.number().int(),
      explanation: z.string().nullable(),
      lives: z.boolean().default(false),
    }),
  ),
});

export type Explain = z.infer<typeof explainSchema>;
export type ExplainAnswer = z.infer<typeof explainAnswerSchema>;
