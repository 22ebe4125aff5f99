import { Router } from 'express';
import { z } from 'zod';
import type { RenderDesk, Rendered } from './needs.js';
import { parseInput } from './query.js';

const renderSchema = z.strictObject({
  project: z.string().min(1).max(63),
  /** The iid of the merge request. */
  mr: z.coerce.number().int().min(1).max(999_999_999),
  /** Text of a template that is tried instead of the one that holds. */
  template: z.string().max(65_536).optional(),
  /** Values that are laid over the configured ones. */
  values: z.record(z.string(), z.json()).optional(),
});

const emptySchema = z.strictObject({});

/** `/render`: what would be committed for a merge request. It looks only, whatever is tried. */
export function renderRoutes(desk: RenderDesk): Router {
  const router = Router();
  router.post('/', async (request, response) => {
    const { project, mr, template, values } = parseInput(renderSchema, request.body);
    const trial =
      template === undefined && values === undefined ? null : { template: template ?? null, values: values ?? {} };
    response.json(present(await desk.render({ project, iid: mr, trial })));
  });
  return router;
}

/** `/sweep`: what the template sweep would do, and its run now. */
export function sweepRoutes(desk: RenderDesk): Router {
  const router = Router();
  router.get('/', async (_request, response) => {
    response.json(await desk.rehearse());
  });
  router.post('/', async (request, response) => {
    parseInput(emptySchema, request.body);
    response.status(202).json(await desk.sweep());
  });
  return router;
}

function present(rendered: Rendered) {
  const { slug, incarnation, phase, path, outcome, revision, url, text, current } = rendered;
  return { slug, incarnation, phase, path, outcome, revision, url, text, current };
}
