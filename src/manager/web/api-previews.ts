import { Router } from 'express';
import { z } from 'zod';
import type { PreviewReader, Trouble } from './needs.js';
import { presentDetail, presentEvent, presentPreview, presentTrouble } from './present.js';
import { type OrderDeps, orderRoutes, refuseSlug, unknownPreview } from './preview-orders.js';
import { decodeCursor, encodeCursor, parseInput } from './query.js';

const phases = ['waiting', 'deploying', 'ready', 'failed', 'asleep', 'stopping', 'stopped'] as const;

const limitSchema = z.coerce.number().int().min(1).max(200).default(50);

/** PostgreSQL has no text with a NUL. */
const plainText = z.string().regex(/^[^\0]*$/, 'holds a NUL character');

const listSchema = z.object({
  project: plainText.max(63).optional(),
  phase: z.enum(phases).optional(),
  q: plainText.trim().min(1).max(200).optional(),
  cursor: z.string().max(200).optional(),
  limit: limitSchema,
});

const eventsSchema = z.object({ cursor: z.coerce.number().int().positive().optional(), limit: limitSchema });

/** `/previews`: list, look, history, and the orders. */
export function previewRoutes(deps: OrderDeps & { previews: PreviewReader; trouble?: () => Trouble | null }): Router {
  const { previews } = deps;
  const router = Router();
  router.param('slug', refuseSlug);

  router.get('/', async (request, response) => {
    const { project, phase, q, cursor, limit } = parseInput(listSchema, request.query);
    const found = await previews.list({
      project: project ?? null,
      phase: phase ?? null,
      search: q ?? null,
      after: cursor === undefined ? null : decodeCursor(cursor),
      // One more than a page tells whether there is another.
      limit: limit + 1,
    });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next = found.length > limit && last !== undefined ? encodeCursor(last) : null;
    const trouble = presentTrouble(deps.trouble?.());
    response.json({ previews: page.map(presentPreview), next, ...(trouble === null ? {} : { gitlab: trouble }) });
  });

  router.get('/:slug', async (request, response) => {
    const preview = await previews.find(request.params.slug);
    if (preview === null) throw unknownPreview(request.params.slug);
    response.json(presentDetail(preview));
  });

  router.get('/:slug/events', async (request, response) => {
    const { slug } = request.params;
    const { cursor, limit } = parseInput(eventsSchema, request.query);
    const found = await previews.events({ slug, before: cursor ?? null, limit: limit + 1 });
    if (found.length === 0 && (await previews.find(slug)) === null) throw unknownPreview(slug);
    const page = found.slice(0, limit);
    response.json({ events: page.map(presentEvent), next: found.length > limit ? (page.at(-1)?.id ?? null) : null });
  });

  router.use(orderRoutes(deps));
  return router;
}
