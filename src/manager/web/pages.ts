import { Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { BreakerDesk, PreviewReader } from './needs.js';
import { styleSheet } from './page-style.js';
import { mostEvents, previewPage, unknownPage } from './preview-page.js';
import { previewsPage } from './previews-page.js';
import { notFound, problemHandler } from './problem.js';

export interface PageDeps {
  previews: PreviewReader;
  breaker: Pick<BreakerDesk, 'load'>;
  log: Logger;
}

const mostRows = 500;
const slugPattern = /^[a-z0-9-]{1,63}$/;

/**
 * The read-only dashboard: `/` lists what lives, `/previews/:slug` tells all of one. It asks nobody who they are, so it belongs on a loopback listener.
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
  router.get('/previews/:slug', async (request, response) => {
    const { slug } = request.params;
    const isSlug = slugPattern.test(slug);
    const [preview, events] = await Promise.all([
      isSlug ? deps.previews.find(slug) : null,
      isSlug ? deps.previews.events({ slug, before: null, limit: mostEvents + 1 }) : [],
    ]);
    response.setHeader('Cache-Control', 'no-store');
    if (preview === null) response.status(404).type('html').send(unknownPage(slug));
    else response.type('html').send(previewPage({ preview, events, now: Date.now() }));
  });
  router.get('/assets/mayfly.css', (_request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=300');
    response.type('css').send(styleSheet);
  });
  router.use(notFound);
  router.use(problemHandler(deps.log));
  return router;
}
