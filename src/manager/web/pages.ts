import { Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { BreakerDesk, PreviewReader } from './needs.js';
import { styleSheet } from './page-style.js';
import { previewsPage } from './previews-page.js';
import { notFound, problemHandler } from './problem.js';

export interface PageDeps {
  previews: Pick<PreviewReader, 'list'>;
  breaker: Pick<BreakerDesk, 'load'>;
  log: Logger;
}

const mostRows = 500;

/**
 * The read-only dashboard: `/` lists what lives. It asks nobody who they are, so it belongs on a loopback listener.
 * The content security policy allows this origin's style sheet and nothing else: no script at all.
 */
export function createPages(deps: PageDeps): Router {
  const router = Router();
  router.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          styleSrc: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      referrerPolicy: { policy: 'no-referrer' },
      // Plain HTTP on this machine: a promise of HTTPS would lock other ports of it too.
      strictTransportSecurity: false,
    }),
  );
  router.get('/', async (_request, response) => {
    const query = { project: null, phase: null, search: null, after: null, limit: mostRows + 1 };
    const [previews, breaker] = await Promise.all([deps.previews.list(query), deps.breaker.load()]);
    const input = {
      previews: previews.slice(0, mostRows),
      isCut: previews.length > mostRows,
      breaker,
      now: Date.now(),
    };
    response.setHeader('Cache-Control', 'no-store');
    response.type('html').send(previewsPage(input));
  });
  router.get('/assets/mayfly.css', (_request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=300');
    response.type('css').send(styleSheet);
  });
  router.use(notFound);
  router.use(problemHandler(deps.log));
  return router;
}
