import type { Request, RequestHandler } from 'express';
import type { Authenticate } from './needs.js';
import { refuse } from './problem.js';

/** Who sent a request that has passed `requireToken`. */
const callers = new WeakMap<Request, { name: string; scope: 'read' | 'operate' }>();

/** Paths whose POST changes nothing: what it asks for is too long for a query. */
const looks: readonly string[] = ['/render'];

/** Lets only bearers of a token pass: any to look, those of scope `operate` to change something. */
export function requireToken(authenticate: Authenticate): RequestHandler {
  return (request, response, next) => {
    const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.get('authorization') ?? '')?.[1];
    const caller = token === undefined ? null : authenticate(token);
    if (caller === null) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="mayfly"');
      const detail =
        token === undefined
          ? 'This needs a token: send the header "Authorization: Bearer …". `mayfly token new` makes one.'
          : 'Nobody has this token. Compare it with `api.tokens` of the configuration; `mayfly token new` makes a new one.';
      throw refuse({ status: 401, code: 'not-authenticated', detail });
    }
    const isLook = request.method === 'GET' || request.method === 'HEAD' || looks.includes(request.path);
    if (!isLook && caller.scope !== 'operate') {
      const detail = `The token ${caller.name} may only look. This needs one of scope "operate".`;
      throw refuse({ status: 403, code: 'not-allowed', detail });
    }
    callers.set(request, caller);
    next();
  };
}

/** Name of the token; for the history. */
export function callerOf(request: Request): string {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('the route is not behind requireToken');
  return caller.name;
}
