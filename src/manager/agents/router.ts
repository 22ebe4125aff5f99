import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { explainSchema } from '../../protocol/explain.js';
import { pollSchema } from '../../protocol/poll.js';
import { authenticate, clusterOf } from './authenticate.js';
import { type ExplainDeps, explainDeletions } from './explain.js';
import { type HintsDeps, sendHints } from './hints.js';
import { type ObservationsDeps, takeObservations } from './observations.js';
import { answerPoll, type PollDeps } from './poll.js';

export interface AgentsDeps extends PollDeps, ObservationsDeps, ExplainDeps, HintsDeps {
  /** Tokens by cluster's name. */
  tokens: () => ReadonlyMap<string, string>;
}

/** A batch of 200 observations with all their texts at their longest would be larger; it is never that. */
const bodyLimit = '16mb';

/** Each observation is parsed for itself, so that one that is malformed costs the others nothing. */
const batchSchema = z.object({ observations: z.array(z.unknown()).max(200) });

/** The agents' endpoint, mounted at `/agent/v1`. */
export function agentsRouter(deps: AgentsDeps): Router {
  const router = Router();
  router.use(authenticate(deps.tokens));
  router.get('/hints', (request, response) => sendHints(deps, request, response));
  router.use(express.json({ limit: bodyLimit }));
  router.post('/poll', async (request, response) => {
    const poll = pollSchema.parse(request.body);
    response.json(await answerPoll(deps, { cluster: clusterOf(response), poll }));
  });
  router.post('/observations', async (request, response) => {
    const { observations } = batchSchema.parse(request.body);
    await takeObservations(deps, { cluster: clusterOf(response), observations });
    response.status(204).end();
  });
  router.post('/explain', async (request, response) => {
    const { deletions } = explainSchema.parse(request.body);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, deps.signal]);
    response.json(await explainDeletions(deps, { cluster: clusterOf(response), deletions }, signal));
  });
  router.use(refuseMalformed);
  return router;
}

/** A body that the protocol does not know is the sender's fault; everything else is passed on. */
function refuseMalformed(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (error instanceof z.ZodError) {
    const issues = error.issues.slice(0, 20).map((issue) => ({ path: issue.path.join('.'), code: issue.code }));
    response.status(400).json({ title: 'Not a message of the agent protocol', issues });
    return;
  }
  next(error);
}
