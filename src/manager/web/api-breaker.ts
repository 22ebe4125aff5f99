import { Router } from 'express';
import { z } from 'zod';
import { callerOf } from './authenticate.js';
import type { BreakerDesk, Pair, WebBreaker } from './needs.js';
import { presentBreaker } from './present.js';
import { refuse } from './problem.js';
import { parseInput } from './query.js';

const acceptSchema = z.strictObject({
  reason: z.string().trim().min(3).max(500),
  /** What the caller has looked at; absent: all that is pending now. */
  deletions: z
    .array(z.strictObject({ slug: z.string().max(63), incarnation: z.number().int().positive() }))
    .min(1)
    .max(10_000)
    .optional(),
});

/** `/breaker`: what is held and why, and its acceptance by a person. */
export function breakerRoutes(desk: BreakerDesk): Router {
  const router = Router();

  router.get('/', async (_request, response) => {
    response.json(presentBreaker(await desk.load()));
  });

  router.post('/accept', async (request, response) => {
    const { reason, deletions } = parseInput(acceptSchema, request.body);
    const state = await desk.load();
    const asked = deletions ?? pendingOf(state);
    // A rewritten branch is no single deletion: only who accepts everything accepts it.
    const heads = deletions === undefined ? rewrittenFor(state) : [];
    const isNoticeRead = deletions === undefined && state.notice !== null;
    if (asked.length === 0 && heads.length === 0 && !isNoticeRead) {
      const detail = 'No deletion is held. `GET /api/v1/breaker` says whether something else stands still.';
      throw refuse({ status: 409, code: 'nothing-held', detail });
    }
    const by = callerOf(request);
    const accepted = asked.length === 0 ? [] : await desk.accept({ deletions: asked, by, reason });
    if (heads.length > 0 || isNoticeRead) await desk.acceptHeads({ clusters: heads, by, reason });
    response.status(202).json({ accepted, heads, noticeRead: isNoticeRead });
  });

  return router;
}

/** Agents that follow nothing until a person says that the rewritten branch is right. */
function rewrittenFor(breaker: WebBreaker): string[] {
  return breaker.agents.filter((agent) => agent.breaker?.reason === 'rewritten').map((agent) => agent.name);
}

/** Everything that the manager or an agent holds, each pair once. */
function pendingOf(breaker: WebBreaker): Pair[] {
  const all = [...breaker.held, ...breaker.agents.flatMap((agent) => agent.breaker?.pending ?? [])];
  const pairs = new Map(all.map(({ slug, incarnation }) => [`${slug}#${incarnation}`, { slug, incarnation }]));
  return [...pairs.values()];
}
