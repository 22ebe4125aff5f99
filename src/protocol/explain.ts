import { z } from 'zod';

/** Body of `POST /agent/v1/explain`. */
export const explainSchema = z.object({
  deletions: z.array(z.object({ slug: z.string().max(63), incarnation: z.number().int().positive() })).max(10_000),
});

/** One entry a deletion, in order; `explanation` is null when nobody can say why it is to go. */
export const explainAnswerSchema = z.object({
  deletions: z.array(z.object({ slug: z.string(), incarnation: z.number().int(), explanation: z.string().nullable() })),
});

export type Explain = z.infer<typeof explainSchema>;
export type ExplainAnswer = z.infer<typeof explainAnswerSchema>;
