import { Router } from 'express';
import { z } from 'zod';
import { callerOf } from './authenticate.js';
import type { AgentDesk } from './needs.js';
import { refuseSlug, unknownPreview } from './preview-orders.js';
import { refuse } from './problem.js';
import { parseInput } from './query.js';

const slug = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'not the slug of a preview');
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'not a name');

const pauseSchema = z
  .strictObject({
    slug: slug.optional(),
    project: name.optional(),
    agent: name.optional(),
    all: z.literal(true).optional(),
  })
  .refine((scope) => Object.values(scope).filter((each) => each !== undefined).length === 1, {
    message: 'names not exactly one of slug, project, agent and all',
  });

const removeSchema = z.strictObject({ slug, incarnation: z.number().int().positive().optional() });

const unblockSchema = z.strictObject({
  finalizer: z
    .string()
    .max(317)
    .regex(/^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$/, 'not the name of a finalizer'),
});

/** The word that says that whoever forgets knows what it means. */
const forgetSchema = z.strictObject({ confirm: z.literal('cluster-is-gone') });

/** `/pause` and `/resume`: what agents do not touch. */
export function pauseRoutes(desk: AgentDesk, kind: 'pause' | 'resume'): Router {
  const router = Router();
  router.post('/', async (request, response) => {
    const input = parseInput(pauseSchema, request.body);
    const scope =
      input.slug !== undefined
        ? { slug: input.slug }
        : input.project !== undefined
          ? { project: input.project }
          : input.agent !== undefined
            ? { agent: input.agent }
            : 'all';
    const given = await desk.pause({ kind, scope, by: callerOf(request) });
    if ('unknown' in given) {
      const detail = `There is no ${given.unknown}. Nothing was ordered.`;
      throw refuse({ status: 404, code: 'no-such-scope', detail });
    }
    response.status(202).json({ order: kind, ...given });
  });
  return router;
}

/** `/orphans`: namespaces that nothing will ever remove by itself. */
export function orphanRoutes(desk: AgentDesk): Router {
  const router = Router();
  router.get('/', async (_request, response) => {
    response.json({ orphans: await desk.orphans() });
  });
  router.post('/remove', async (request, response) => {
    const input = parseInput(removeSchema, request.body);
    const removed = await desk.removeOrphans({
      slug: input.slug,
      incarnation: input.incarnation ?? null,
      by: callerOf(request),
    });
    if (removed.length === 0) {
      const detail = `No agent told of an orphan ${input.slug}. \`GET /api/v1/orphans\` lists those that there are.`;
      throw refuse({ status: 404, code: 'no-such-orphan', detail });
    }
    response.status(202).json({ order: 'remove-orphan', orphans: removed });
  });
  return router;
}

/** `/previews/:slug/unblock` and `/forget`: for a teardown that does not end by itself. */
export function teardownRoutes(desk: AgentDesk): Router {
  const router = Router();
  router.param('slug', refuseSlug);
  router.post('/:slug/unblock', async (request, response) => {
    const { finalizer } = parseInput(unblockSchema, request.body);
    const { slug: of } = request.params;
    const given = await desk.unblock({ slug: of, finalizer, by: callerOf(request) });
    if (given.outcome === 'unknown') throw unknownPreview(of);
    if (given.outcome === 'unfit') {
      const detail = `${of} is ${given.phase}, and nothing of it is being torn down. Nothing was ordered.`;
      throw refuse({ status: 409, code: 'unfit-phase', detail });
    }
    const { incarnation, cluster } = given;
    response.status(202).json({ slug: of, incarnation, cluster, order: 'unblock', finalizer });
  });
  router.post('/:slug/forget', async (request, response) => {
    parseInput(forgetSchema, request.body);
    const { slug: of } = request.params;
    const given = await desk.forget({ slug: of, by: callerOf(request) });
    if (given.outcome === 'unknown') {
      const detail = `There is no preview ${of} that is not stopped. Nothing was forgotten.`;
      throw refuse({ status: 404, code: 'no-such-preview', detail });
    }
    if (given.outcome === 'alive') {
      const seconds = Math.round(given.silentMs / 1_000);
      const detail = `The agent of the cluster ${given.cluster} was seen ${seconds} s ago: the cluster is not gone. Stop ${of} instead; nothing was forgotten.`;
      throw refuse({ status: 409, code: 'cluster-alive', detail });
    }
    const { incarnation, cluster } = given;
    response.status(202).json({ slug: of, incarnation, cluster, order: 'forget' });
  });
  return router;
}
