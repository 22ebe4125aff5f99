import type { Request, Response } from 'express';
import type { GitLabEvent } from '../event.js';

const settleMs = 60;

/** Server-sent events: `changed` when something happened in the project of the query, at most every few milliseconds. */
export function liveEvents(onEvent: (listener: (event: GitLabEvent) => void) => () => void) {
  return (request: Request, response: Response): void => {
    const projectId = Number(request.query.project);
    response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    response.write('retry: 1000\n\n');
    let waiting: NodeJS.Timeout | null = null;
    const stop = onEvent((event) => {
      if (event.project.id !== projectId || waiting !== null) return;
      // A push is a dozen events; the page looks once, when they are all in the state.
      waiting = setTimeout(() => {
        waiting = null;
        response.write('event: changed\ndata: {}\n\n');
      }, settleMs);
    });
    response.on('close', () => {
      stop();
      if (waiting !== null) clearTimeout(waiting);
    });
  };
}
