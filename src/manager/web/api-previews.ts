import { type Request, Router } from 'express';
import { z } from 'zod';
import { formatDuration, parseDuration } from '../../preview/duration.js';
import { callerOf } from './authenticate.js';
import type { GiveOrder, PreviewReader } from './needs.js';
import { presentDetail, presentEvent, presentPreview } from './present.js';
import { refuse } from './problem.js';
import { decodeCursor, encodeCursor, parseInput } from './query.js';

const phases = ['waiting', 'deploying', 'ready', 'failed', 'asleep', 'stopping', 'stopped'] as const;

const limitSchema = z.coerce.number().int().min(1).max(200).default(50);

const listSchema = z.object({
  project: z.string().max(63).optional(),
  phase: z.enum(phases).optional(),
  q: z.string().trim().min(1).max(200).optional(),
  cursor: z.string().max(200).optional(),
  limit: limitSchema,
});

const eventsSchema = z.object({ cursor: z.coerce.number().int().positive().optional(), limit: limitSchema });

const longestExtensionMs = 365 * 86_400_000;

const extendSchema = z.strictObject({
  /** How long it lives at least, from now; absent: the configured TTL. */
  by: z
    .string()
    .refine((text) => (parseDuration(text) ?? 0) > 0, 'not a duration such as 2d, 12h or 30m')
    .refine(
      (text) => (parseDuration(text) ?? 0) <= longestExtensionMs,
      `longer than ${formatDuration(longestExtensionMs)}`,
    )
    .optional(),
});

const emptySchema = z.strictObject({});

/** `/previews`: list, look, history, and the orders stop, start and extend. */
export function previewRoutes(deps: { previews: PreviewReader; giveOrder: GiveOrder }): Router {
  const { previews, giveOrder } = deps;
  const router = Router();

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
    response.json({ previews: page.map(presentPreview), next });
  });

  router.get('/:slug', async (request, response) => {
    const preview = await previews.find(request.params.slug);
    if (preview === null) throw unknown(request.params.slug);
    response.json(presentDetail(preview));
  });

  router.get('/:slug/events', async (request, response) => {
    const { slug } = request.params;
    const { cursor, limit } = parseInput(eventsSchema, request.query);
    const found = await previews.events({ slug, before: cursor ?? null, limit: limit + 1 });
    if (found.length === 0 && (await previews.find(slug)) === null) throw unknown(slug);
    const page = found.slice(0, limit);
    response.json({ events: page.map(presentEvent), next: found.length > limit ? (page.at(-1)?.id ?? null) : null });
  });

  for (const kind of ['stop', 'start'] as const) {
    router.post(`/:slug/${kind}`, async (request, response) => {
      parseInput(emptySchema, request.body);
      response.status(202).json(await order(giveOrder, request, kind, null));
    });
  }

  router.post('/:slug/extend', async (request, response) => {
    const { by } = parseInput(extendSchema, request.body);
    response.status(202).json(await order(giveOrder, request, 'extend', by === undefined ? null : parseDuration(by)));
  });

  return router;
}

async function order(
  giveOrder: GiveOrder,
  request: Request<{ slug: string }>,
  kind: 'start' | 'stop' | 'extend',
  amountMs: number | null,
) {
  const { slug } = request.params;
  const given = await giveOrder({ slug, kind, amountMs, by: callerOf(request) });
  if (given.outcome === 'unknown') throw unknown(slug);
  const { phase, incarnation } = given;
  if (given.outcome === 'given') return { slug, incarnation, order: kind };
  const detail =
    kind === 'start'
      ? `${slug} is ${phase}: it runs, or is about to. Nothing was done.`
      : `${slug} is ${phase}: there is nothing to ${kind}. Nothing was done; \`start\` brings it back while its merge request is open.`;
  throw refuse({ status: 409, code: 'unfit-phase', detail });
}

function unknown(slug: string) {
  const detail = `There is no preview ${slug}. \`GET /api/v1/previews\` lists those that there are.`;
  return refuse({ status: 404, code: 'no-such-preview', detail });
}
