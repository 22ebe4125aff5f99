import express, { Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { orphanRoutes, pauseRoutes, teardownRoutes } from './api-agents.js';
import { breakerRoutes } from './api-breaker.js';
import { previewRoutes } from './api-previews.js';
import { renderRoutes, sweepRoutes } from './api-render.js';
import { requireToken } from './authenticate.js';
import type {
  AgentDesk,
  Authenticate,
  BreakerDesk,
  GiveOrder,
  PreviewReader,
  RenderDesk,
  SettableOf,
  Trouble,
} from './needs.js';
import { notFound, problemHandler } from './problem.js';

export interface ApiDeps {
  authenticate: Authenticate;
  previews: PreviewReader;
  giveOrder: GiveOrder;
  settableOf: SettableOf;
  breaker: BreakerDesk;
  agents: AgentDesk;
  rendering: RenderDesk;
  /** What is wrong with the way to GitLab; null: nothing. Default: nothing. */
  trouble?: () => Trouble | null;
  log: Logger;
}

/**
 * The JSON API; mount it at `/api/v1`. Everything needs a bearer token. Refusals are problem documents (RFC 9457)
 * with a stable `code`; orders are answered with 202, for they are done when the preview's phase says so.
 */
export function createApi(deps: ApiDeps): Router {
  const router = Router();
  router.use(helmet(), (_request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  router.use(requireToken(deps.authenticate));
  router.use(express.json({ limit: '1mb' }));
  router.use('/previews', previewRoutes(deps));
  router.use('/previews', teardownRoutes(deps.agents));
  router.use('/pause', pauseRoutes(deps.agents, 'pause'));
  router.use('/resume', pauseRoutes(deps.agents, 'resume'));
  router.use('/orphans', orphanRoutes(deps.agents));
  router.use('/breaker', breakerRoutes(deps.breaker));
  router.use('/render', renderRoutes(deps.rendering));
  router.use('/sweep', sweepRoutes(deps.rendering));
  router.use(notFound);
  router.use(problemHandler(deps.log));
  return router;
}
