import type { NextFunction, Request, Response } from 'express';

/**
 * Anything that changes something must come from our own pages or from no page at all: a site that is open in the
 * same browser must not drive what listens on loopback. Names other than our own are refused too, against rebinding.
 */
export function refuseForeignOrigins(publicUrl: () => string) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const host = request.get('host') ?? '';
    const origin = request.get('origin');
    const site = request.get('sec-fetch-site');
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const ours = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host) || host === new URL(publicUrl()).host;
    const foreignOrigin = origin !== undefined && origin !== `http://${host}` && origin !== new URL(publicUrl()).origin;
    const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    if (!ours || (!reads && (foreignOrigin || foreignSite))) {
      response.status(403).type('text/plain').send('This may only be asked from the pages of this very server.\n');
      return;
    }
    next();
  };
}
