import type { NextFunction, Request, Response } from 'express';
import type { Fault, FaultSwitch } from '../faults.js';

/** Makes requests meet the faults that are switched on. */
export function applyFaults(faults: FaultSwitch) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const met = faults.take(request.method, request.originalUrl.split('?')[0] ?? '');
    if (met.length === 0) {
      next();
      return;
    }
    const delayMs = met.reduce((sum, fault) => sum + (fault.kind === 'latency' ? (fault.ms ?? 0) : 0), 0);
    const act = (): void => {
      if (!met.some((fault) => answered(fault, request, response))) next();
    };
    if (delayMs > 0) {
      const timer = setTimeout(act, delayMs);
      response.on('close', () => clearTimeout(timer));
    } else act();
  };
}

/** Whether the fault is the whole answer. */
function answered(fault: Fault, request: Request, response: Response): boolean {
  switch (fault.kind) {
    case 'latency':
      return false;
    case 'silence':
      return true;
    case 'lost-answer':
      loseAnswer(request, response);
      return false;
    case 'rate-limit':
      response.status(429).set('Retry-After', String(fault.retryAfterSeconds ?? 1));
      response.type('text/plain').send('Retry later\n');
      return true;
    case 'bad-gateway':
      response.status(502).type('text/html').send('<html><body><h1>502</h1>GitLab is not responding</body></html>');
      return true;
    case 'token-expired':
      response.status(401).json({
        error: 'invalid_token',
        error_description: 'Token is expired. You can either do re-authorization or token refresh.',
      });
      return true;
    case 'forbidden':
      response.status(403).json({ message: '403 Forbidden' });
      return true;
    case 'not-found':
      response.status(404).json({ message: '404 Project Not Found' });
      return true;
    case 'conflict':
      response.status(409).json({ message: 'Another update to this commit status is in progress' });
      return true;
    case 'empty':
      response.set({ 'x-total': '0', 'x-total-pages': '1', 'x-page': '1', 'x-per-page': '20', 'x-next-page': '' });
      response.status(200).json([]);
      return true;
  }
}

/** Lets the request run to its end, and cuts the connection where the answer would go. */
function loseAnswer(request: Request, response: Response): void {
  const cut = (): Response => {
    request.socket.destroy();
    return response;
  };
  response.end = cut;
  response.write = () => {
    cut();
    return true;
  };
}
