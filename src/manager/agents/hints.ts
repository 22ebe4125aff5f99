import type { Request, Response } from 'express';
import type { Hint } from '../../protocol/hints.js';

export interface HintsDeps {
  /** The head that was last read back or pushed; null before the first. */
  branchHead: () => Promise<string | null>;
  /** Calls `listener` at each change, until the function that it answers is called. */
  onBranchHead: (listener: (head: string) => void) => () => void;
  /** Ends all streams when the manager stops. */
  signal: AbortSignal;
}

/** A proxy that closes silent connections closes none of these. */
const heartbeatMs = 20_000;

/** Server-sent events: the branch's head on connect and at each change. What is lost costs the agent latency alone. */
export async function sendHints(deps: HintsDeps, request: Request, response: Response): Promise<void> {
  response.status(200).set({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  const send = (branchCommit: string | null) => {
    const hint: Hint = { branchCommit };
    response.write(`event: head\ndata: ${JSON.stringify(hint)}\n\n`);
  };
  // Listening comes first: a change between the two is sent twice rather than never.
  const unsubscribe = deps.onBranchHead(send);
  const heartbeat = setInterval(() => response.write(': alive\n\n'), heartbeatMs);
  const end = () => response.end();
  deps.signal.addEventListener('abort', end, { once: true });
  response.once('close', () => {
    clearInterval(heartbeat);
    unsubscribe();
    deps.signal.removeEventListener('abort', end);
  });
  request.once('error', end);
  if (deps.signal.aborted) end();
  else send(await deps.branchHead());
}
