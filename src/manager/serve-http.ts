import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import type { Logger } from 'pino';
import type { ListenConfig } from '../config/manager-config.js';
import { type Listening, listen } from './web/listen.js';
import { createProbes, type ProbeDeps } from './web/probes.js';

export interface HttpParts {
  receiver: Router;
  agents: Router;
  api: Router;
  pages: Router;
  wake: Router;
  probes: ProbeDeps;
}

export interface HttpServers {
  url: string;
  metricsUrl: string;
  dashboardUrl: string;
  /** Takes nothing new and waits a moment for what runs. */
  stop(): Promise<void>;
}

/**
 * Three listeners: what GitLab, agents, scripts and visitors of a preview that sleeps reach; the probes and metrics of
 * the platform; and the dashboard, which asks nobody who they are and therefore listens on this machine alone.
 */
export async function openServers(parts: HttpParts, config: ListenConfig, log: Logger): Promise<HttpServers> {
  const opened: Listening[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(opened.map((server) => server.stop(2_000)));
  };
  try {
    const main = await listen(mainApp(parts, log), { host: config.host, port: config.port });
    opened.push(main);
    const metrics = await listen(createProbes(parts.probes), { host: config.host, port: config.metricsPort });
    opened.push(metrics);
    const dashboard = await listen(pagesApp(parts), { host: '127.0.0.1', port: config.dashboardPort });
    opened.push(dashboard);
    return { url: urlOf(main), metricsUrl: urlOf(metrics), dashboardUrl: urlOf(dashboard), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function mainApp(parts: HttpParts, log: Logger): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(parts.receiver);
  app.use('/agent/v1', parts.agents);
  app.use('/api/v1', parts.api);
  app.use(parts.wake);
  app.use((_request, response) => {
    response.status(404).json({ title: 'Nothing is here' });
  });
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    const status = statusOf(error);
    if (status >= 500) log.error({ err: error, method: request.method, path: request.path }, 'request failed');
    if (response.headersSent) next(error);
    else
      response.status(status).json({ title: status >= 500 ? 'The manager failed; its log says why' : 'Bad request' });
  });
  return app;
}

function pagesApp(parts: HttpParts): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(parts.pages);
  return app;
}

/** express and its parsers put the status of a bad request on the error. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

function urlOf(server: Listening): string {
  const host = server.host === '0.0.0.0' || server.host === '::' ? '127.0.0.1' : server.host;
  return `http://${host}:${server.port}`;
}
