import { type NextFunction, type Request, type Response, Router } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { safeLink } from './html.js';
import { visitorLimit, visitorOf, wakeLimit } from './visitor-limit.js';
import { askToWakePage, refusedWakePage, wakeScript, wakeStyle, wakingPage } from './wake-page.js';

export interface WakeDeps {
  /** Wakes a preview that sleeps; of every other slug it does nothing, and says nothing. */
  wake(slug: string): Promise<void>;
  /** Where a preview opens that somebody asked for lately and that is ready; null: neither. */
  ready(slug: string): Promise<{ url: string | null } | null>;
  /** Where this manager is reached. */
  publicUrl(): string;
  log: Logger;
}

/** Wakes a minute: of one name few mean anything, for the first has woken it. `all` is what the database is spared. */
const wakeLimits = { visitor: 10, slug: 20, all: 600 };
/** Looks at how they go: a page that waits looks 120 times a minute. */
const lookLimits = { each: 300, all: 6_000 };

/**
 * The page on which anybody who knows a preview's name wakes it: `GET /wake/:slug` asks, `POST` wakes. It needs no login,
 * so it tells nothing but, of a name that was asked for by POST, when it is ready. No other site can press its button.
 */
export function createWakePages(deps: WakeDeps): Router {
  const router = Router();
  const [mayWake, mayLook] = [wakeLimit(wakeLimits), visitorLimit(lookLimits)];
  const secured = [securityHeaders(), refuseName] as const;
  router.get('/wake.css', (_request, response) => send(response, 'css', wakeStyle));
  router.get('/wake.js', (_request, response) => send(response, 'js', wakeScript));
  router.get('/wake/:slug', ...secured, (request, response) => {
    response.type('html').send(askToWakePage(request.params.slug));
  });
  router.post('/wake/:slug', ...secured, async (request, response) => {
    const { slug } = request.params;
    if (!isSameOrigin(request, deps.publicUrl())) {
      response.status(403).type('html').send(refusedWakePage(slug, 'The button of another site was pressed.'));
      return;
    }
    if (!mayWake(visitorOf(request), slug)) {
      deps.log.warn({ slug }, 'a wake was refused, there were too many');
      refuseForNow(response, refusedWakePage(slug, 'It was asked for too often in the last minute. Wait a minute.'));
      return;
    }
    await deps.wake(slug);
    // A reload of the page that waits wakes nothing again.
    response.redirect(303, `/wake/${slug}/waiting`);
  });
  router.get('/wake/:slug/waiting', ...secured, (request, response) => {
    response.type('html').send(wakingPage(request.params.slug));
  });
  router.get('/wake/:slug/status', ...secured, async (request, response) => {
    if (!mayLook(visitorOf(request))) return void refuseForNow(response, '');
    const found = await deps.ready(request.params.slug);
    response.json(found === null ? { state: 'waking' } : { state: 'ready', url: linkOf(found.url) });
  });
  router.get('/wake/:slug/open', ...secured, async (request, response) => {
    const { slug } = request.params;
    if (!mayLook(visitorOf(request))) return void refuseForNow(response, '');
    const url = linkOf((await deps.ready(slug))?.url ?? null);
    response.redirect(303, url ?? `/wake/${slug}/waiting`);
  });
  return router;
}

function linkOf(url: string | null): string | null {
  return url === null ? null : safeLink(url);
}

function securityHeaders() {
  const secure = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        scriptSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // With no referrer at all, a browser names no origin when the button is pressed.
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: false,
  });
  return (request: Request<{ slug: string }>, response: Response, next: NextFunction) => {
    response.setHeader('Cache-Control', 'no-store');
    secure(request, response, next);
  };
}

/** What cannot be a name of a preview gets no page: nothing of it is shown. */
function refuseName(request: Request<{ slug: string }>, response: Response, next: NextFunction): void {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(request.params.slug)) next();
  else response.status(404).json({ title: 'Nothing is here' });
}

/** Browsers say which site's page a form was on; what says nothing is no page of ours. */
function isSameOrigin(request: Request, publicUrl: string): boolean {
  const site = request.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = request.get('origin') ?? '';
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return host === new URL(publicUrl).host || host === request.get('host');
}

function refuseForNow(response: Response, body: string): void {
  response.setHeader('Retry-After', '60');
  response.status(429).type('html').send(body);
}

function send(response: Response, type: 'css' | 'js', text: string): void {
  response.setHeader('Cache-Control', 'public, max-age=300');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.type(type).send(text);
}
