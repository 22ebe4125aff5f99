import { createHash, timingSafeEqual } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

/** The cluster whose agent sent a request; set by `authenticate`. */
export function clusterOf(response: Response): string {
  return String(response.locals.cluster);
}

/**
 * Lets in only who presents the token of one cluster. `tokens`: by cluster's name, read at each request, so that a
 * reloaded configuration counts. Every token is compared, in constant time: the answer's time tells nothing.
 */
export function authenticate(tokens: () => ReadonlyMap<string, string>) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const given = /^Bearer (\S+)$/i.exec(request.get('authorization') ?? '')?.[1] ?? '';
    let cluster: string | undefined;
    for (const [name, token] of tokens()) {
      // An empty token in the configuration lets nobody in.
      if (timingSafeEqual(digest(given), digest(token)) && token !== '') cluster = name;
    }
    if (cluster === undefined) {
      response.set('www-authenticate', 'Bearer').status(401).json({ title: 'The token of no cluster' });
      return;
    }
    response.locals.cluster = cluster;
    next();
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
