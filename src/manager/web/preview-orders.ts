import { type Request, type RequestParamHandler, Router } from 'express';
import { z } from 'zod';
import { formatDuration, parseDuration } from '../../preview/duration.js';
import { describeSetting, fitsSetting, parseSetting } from '../../preview/setting.js';
import { callerOf } from './authenticate.js';
import type { GiveOrder, PreviewReader, SettableOf } from './needs.js';
import { refuse } from './problem.js';
import { parseInput } from './query.js';

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

const approveSchema = z.strictObject({
  sha: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'not a whole sha of 40 hexadecimal digits'),
});

const key = z.string().min(1).max(63);
const setSchema = z.strictObject({ key, value: z.union([z.string().max(1_000), z.number(), z.boolean()]) });
const unsetSchema = z.strictObject({ key });
const emptySchema = z.strictObject({});

const plainOrders = ['stop', 'start', 'redeploy', 'pin', 'unpin', 'sleep', 'wake'] as const;

type Order = Omit<Parameters<GiveOrder>[0], 'slug' | 'by'>;

export interface OrderDeps {
  previews: Pick<PreviewReader, 'find'>;
  giveOrder: GiveOrder;
  settableOf: SettableOf;
}

/** The orders of operators: `POST /:slug/…`. Each is recorded and answered with 202; the phase tells when it is done. */
export function orderRoutes(deps: OrderDeps): Router {
  const router = Router();
  router.param('slug', refuseSlug);
  for (const kind of plainOrders) {
    router.post(`/:slug/${kind}`, async (request, response) => {
      parseInput(emptySchema, request.body);
      response.status(202).json(await give(deps, request, { kind, amountMs: null, detail: null, text: kind }));
    });
  }
  router.post('/:slug/extend', async (request, response) => {
    const { by } = parseInput(extendSchema, request.body);
    const amountMs = by === undefined ? null : parseDuration(by);
    const text = by === undefined ? 'extend' : `extend ${by}`;
    response.status(202).json(await give(deps, request, { kind: 'extend', amountMs, detail: null, text }));
  });
  router.post('/:slug/approve', async (request, response) => {
    const { sha } = parseInput(approveSchema, request.body);
    const text = `approve ${sha.slice(0, 8)}`;
    response.status(202).json(await give(deps, request, { kind: 'approve', amountMs: null, detail: { sha }, text }));
  });
  router.post('/:slug/set', async (request, response) => {
    const { key: name, value } = parseInput(setSchema, request.body);
    response.status(202).json(await give(deps, request, await settingOrder(deps, request.params.slug, name, value)));
  });
  router.post('/:slug/unset', async (request, response) => {
    const { key: name } = parseInput(unsetSchema, request.body);
    response.status(202).json(await give(deps, request, await settingOrder(deps, request.params.slug, name, null)));
  });
  return router;
}

/** A text is read by the type of the configured value, as in a comment; a number or a boolean must be of it. */
async function settingOrder(
  deps: OrderDeps,
  slug: string,
  name: string,
  given: string | number | boolean | null,
): Promise<Order> {
  const preview = await deps.previews.find(slug);
  if (preview === null) throw unknownPreview(slug);
  const settable = deps.settableOf(preview.project);
  const type = Object.hasOwn(settable, name) ? settable[name] : undefined;
  if (type === undefined) {
    const keys = Object.keys(settable).join(', ') || 'none';
    throw refuse({
      status: 400,
      code: 'not-settable',
      detail: `${name} cannot be set in ${slug}. Keys that can: ${keys}.`,
    });
  }
  if (given === null) return { kind: 'unset', amountMs: null, detail: { key: name }, text: `unset ${name}` };
  const value = typeof given === 'string' ? parseSetting(type, given) : given;
  if (value === undefined || !fitsSetting(settable, name, value)) {
    throw refuse({
      status: 400,
      code: 'bad-value',
      detail: `${name} must be ${describeSetting(type)}. Nothing was set.`,
    });
  }
  return { kind: 'set', amountMs: null, detail: { key: name, value }, text: `set ${name}=${String(value)}` };
}

async function give(deps: OrderDeps, request: Request<{ slug: string }>, order: Order) {
  const { slug } = request.params;
  const { kind } = order;
  const given = await deps.giveOrder({ ...order, slug, by: callerOf(request) });
  if (given.outcome === 'unknown') throw unknownPreview(slug);
  const { phase, incarnation } = given;
  if (given.outcome === 'given') return { slug, incarnation, order: kind };
  const detail =
    kind === 'start'
      ? `${slug} is ${phase}: it runs, or is about to. Nothing was done.`
      : `${slug} is ${phase}: there is nothing to ${kind}. Nothing was done; \`start\` brings it back while its merge request is open.`;
  throw refuse({ status: 409, code: 'unfit-phase', detail });
}

export function unknownPreview(slug: string) {
  const detail = `There is no preview ${slug}. \`GET /api/v1/previews\` lists those that there are.`;
  return refuse({ status: 404, code: 'no-such-preview', detail });
}

/** What cannot be a slug is none of ours; a NUL, which PostgreSQL has in no text, among it. */
export const refuseSlug: RequestParamHandler = (_request, _response, next, slug: string) => {
  const isPossible = /^[a-z0-9][a-z0-9-]{0,62}$/.test(slug);
  next(isPossible ? undefined : unknownPreview(slug.replace(/\p{Cc}/gu, '?').slice(0, 63)));
};
