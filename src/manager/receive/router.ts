import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import type { Logger } from 'pino';
import { isAppError } from '../../error/app-error.js';
import type { NewDelivery } from './batch.js';
import { type DeliveryFacts, type Reduction, reduceDelivery } from './delivery-facts.js';
import { type DeliveryHeaders, isAuthentic, type WebhookSecrets } from './verify.js';

/** A project whose merge requests are followed. */
interface FollowedProject {
  /** Its own secrets, which then count instead of the common ones; null: it has none. */
  secrets: WebhookSecrets | null;
}

export interface ReceiveDeps {
  /** Secrets of projects without their own and of the environments repository. */
  commonSecrets: () => WebhookSecrets;
  /** Secrets of any kind, to refuse strangers before their text is parsed. */
  allSecrets: () => WebhookSecrets;
  /** null: nobody follows it. `path` is for a project whose id is not known yet. */
  findProject: (projectId: number, path: string | null) => FollowedProject | null;
  /** Whether it is the repository and branch that Mayfly writes. */
  isEnvironments: (projectId: number, path: string | null, branch: string) => boolean;
  /** See `batchDeliveries`. */
  store: (delivery: NewDelivery) => Promise<number>;
  observe: (delivery: ObservedDelivery) => void;
}

/** One delivery as it was answered, for metrics. */
export interface ObservedDelivery {
  /** `merge_request`, `pipeline`, `note`, `push`, or `other`. */
  event: string;
  outcome: 'stored' | 'ignored' | 'malformed' | 'refused' | 'too-large' | 'not-stored';
  durationMs: number;
}

/** GitLab sends at most 25 MB. */
const maxBodyBytes = 25 * 1024 * 1024;

/** Seconds after which a delivery that could not be stored may be sent again. */
const retryAfterSeconds = 10;

type Answer = {
  status: number;
  body: Record<string, unknown>;
  event: string;
  outcome: ObservedDelivery['outcome'];
};

/**
 * `POST /webhooks/gitlab`: 202 `{"delivery": id}` when stored, 200 when nobody follows it, 401 when the secret is
 * wrong, 400 when it is not JSON, 413 over 25 MiB, 503 with Retry-After when it cannot be stored.
 */
export function createReceiver(deps: ReceiveDeps, options: { log: Logger; clock?: () => number }): Router {
  const clock = options.clock ?? Date.now;
  const router = express.Router();
  const rawBody = express.raw({ type: () => true, limit: maxBodyBytes, inflate: false });
  const send = (response: Response, answer: Answer, startedAt: number) => {
    deps.observe({ event: answer.event, outcome: answer.outcome, durationMs: performance.now() - startedAt });
    if (answer.status === 503) response.setHeader('Retry-After', String(retryAfterSeconds));
    const text = JSON.stringify(answer.body);
    // Not by `json`, which hashes each answer for an ETag that no webhook asks for.
    response.writeHead(answer.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  };
  router.post('/webhooks/gitlab', rawBody, async (request: Request, response: Response) => {
    const startedAt = performance.now();
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    send(
      response,
      await receive(deps, { headers: headersOf(request), rawBody: bytes, nowMs: clock() }, options.log),
      startedAt,
    );
  });
  router.use('/webhooks/gitlab', (error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (!isTooLarge(error)) return next(error);
    send(response, answerOf(413, 'The delivery is larger than 25 MiB.', 'other', 'too-large'), performance.now());
  });
  return router;
}

async function receive(
  deps: ReceiveDeps,
  delivery: { headers: DeliveryHeaders; rawBody: Buffer; nowMs: number },
  log: Logger,
): Promise<Answer> {
  if (!isAuthentic(deps.allSecrets(), delivery)) {
    log.warn({ gitlabEvent: delivery.headers['x-gitlab-event'] }, 'delivery refused: wrong or missing secret');
    return answerOf(401, 'The secret token or the signature of this webhook is wrong.', 'other', 'refused');
  }
  const body = parseJson(delivery.rawBody);
  if (body === undefined) return answerOf(400, 'The body is not JSON.', 'other', 'malformed');
  const reduced = reduceDelivery(body);
  if (typeof reduced === 'string') return uninteresting(reduced, delivery.headers, log);
  const { facts, projectPath } = reduced;
  const project = followed(deps, facts, projectPath);
  const secrets = project?.secrets ?? deps.commonSecrets();
  // Another project's own secret opens nothing here.
  if (!isAuthentic(secrets, delivery)) {
    log.warn({ projectId: facts.projectId, event: facts.event }, 'delivery refused: secret of another project');
    return answerOf(401, 'The secret token or the signature of this webhook is wrong.', facts.event, 'refused');
  }
  if (project === null) return ignored(facts.event);
  return store(deps, { key: keyOf(delivery.headers), facts }, log);
}

function followed(deps: ReceiveDeps, facts: DeliveryFacts, path: string | null): FollowedProject | null {
  if (facts.event !== 'push') return deps.findProject(facts.projectId, path);
  return deps.isEnvironments(facts.projectId, path, facts.branch) ? { secrets: null } : null;
}

function uninteresting(why: Reduction, headers: DeliveryHeaders, log: Logger): Answer {
  if (why === 'uninteresting') return ignored('other');
  // Not an error for GitLab, which would switch the webhook off; the catch-up reads what it told.
  log.warn({ gitlabEvent: headers['x-gitlab-event'] }, 'delivery not understood');
  return { status: 200, body: { delivery: null }, event: 'other', outcome: 'malformed' };
}

async function store(deps: ReceiveDeps, delivery: NewDelivery, log: Logger): Promise<Answer> {
  const { event, projectId } = delivery.facts;
  try {
    const id = await deps.store(delivery);
    return { status: 202, body: { delivery: id }, event, outcome: 'stored' };
  } catch (error) {
    if (!isAppError(error, 'delivery-not-stored')) throw error;
    log.error({ err: error, event, projectId }, 'delivery could not be stored');
    return answerOf(503, error.publicMessage, event, 'not-stored');
  }
}

function ignored(event: string): Answer {
  return { status: 200, body: { delivery: null }, event, outcome: 'ignored' };
}

function answerOf(status: number, error: string, event: string, outcome: ObservedDelivery['outcome']): Answer {
  return { status, body: { error }, event, outcome };
}

const headerNames = [
  'x-gitlab-token',
  'x-gitlab-event',
  'idempotency-key',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
] as const;

function headersOf(request: Request): DeliveryHeaders {
  return Object.fromEntries(headerNames.map((name) => [name, request.get(name)]));
}

/** A key that no GitLab makes would only fill the index. */
function keyOf(headers: DeliveryHeaders): string | null {
  const key = headers['idempotency-key'] ?? headers['webhook-id'];
  return key === undefined || key === '' || key.length > 255 ? null : key;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'type' in error && error.type === 'entity.too.large';
}
