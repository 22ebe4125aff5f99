import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher, request } from 'undici';
import { AppError, isAppError } from '../error/app-error.js';
import { unavailableError } from './kube-errors.js';

export interface ConnectionOptions {
  /** Absent: the ServiceAccount of the pod that this runs in. */
  kubeconfig?: { path: string; context?: string };
}

export interface KubeCall {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** With the query. */
  path: string;
  body?: unknown;
  contentType?: string;
  /** The whole call; for a stream until its head has arrived. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** A watch: has a connection of its own, and its body may take as long as it likes while it is not silent. */
  stream?: boolean;
}

/** An authenticated way to one API server. */
export interface KubeConnection {
  server: string;
  send(call: KubeCall): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
}

/** How long credentials are used before the source is asked again; a projected token lives at least ten minutes. */
const credentialsMs = 30_000;
const streamSilenceMs = 320_000;
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Opens the API server of a kubeconfig, or of the pod's own ServiceAccount. Connections are kept and shared. Throws
 * `kube-config` when the configuration names no usable server.
 */
export async function openConnection(options: ConnectionOptions): Promise<KubeConnection> {
  const config = loadConfig(options);
  const server = config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? '';
  let credentials = await readCredentials(config);
  let readAt = Date.now();
  const tls = { ...credentials.tls, keepAlive: true };
  const calls = new Agent({ connect: tls, connections: 32, keepAliveTimeout: 60_000, keepAliveMaxTimeout: 80_000 });
  const streams = new Agent({ connect: tls, headersTimeout: 60_000 });

  async function headers(renew: boolean): Promise<Record<string, string>> {
    if (renew || Date.now() - readAt > credentialsMs) {
      // The library keeps what it read; a fresh configuration reads token files and asks plugins again.
      credentials = await readCredentials(renew ? loadConfig(options) : config);
      readAt = Date.now();
    }
    return credentials.headers;
  }

  async function attempt(call: KubeCall, renew: boolean): Promise<Dispatcher.ResponseData> {
    const head: Record<string, string> = { accept: 'application/json', ...(await headers(renew)) };
    if (call.body !== undefined) head['content-type'] = call.contentType ?? 'application/json';
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), call.timeoutMs);
    const signal = call.signal === undefined ? limit.signal : AbortSignal.any([limit.signal, call.signal]);
    try {
      return await request(server + call.path, {
        method: call.method,
        headers: head,
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        signal,
        dispatcher: call.stream ? streams : calls,
        // A watch hears at least its bookmarks; one that is silent for longer than its term is dead.
        bodyTimeout: call.stream ? streamSilenceMs : call.timeoutMs,
      });
    } catch (error) {
      throw failure(call, limit.signal.aborted, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async function send(call: KubeCall): Promise<Dispatcher.ResponseData> {
    const answer = await attempt(call, false);
    if (answer.statusCode !== 401) return answer;
    // A token may have been rotated since it was read: once more with a fresh one.
    await answer.body.dump();
    return attempt(call, true);
  }

  return { server, send, close: async () => void (await Promise.all([calls.destroy(), streams.destroy()])) };
}

function failure(call: KubeCall, timedOut: boolean, error: unknown): unknown {
  if (call.signal?.aborted) return call.signal.reason;
  if (isAppError(error)) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const why = timedOut ? `no answer within ${call.timeoutMs} ms` : typeof code === 'string' ? code : 'connection broke';
  return unavailableError(`${call.method} ${call.path}`, why, error);
}

function loadConfig(options: ConnectionOptions): KubeConfig {
  const config = new KubeConfig();
  if (options.kubeconfig === undefined) {
    config.loadFromCluster();
  } else {
    readFile(config, options.kubeconfig);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null || !URL.canParse(cluster.server)) {
    throw configError(
      options.kubeconfig === undefined
        ? 'This does not run inside a cluster; set `kubeconfig` in agent.yaml.'
        : `The kubeconfig ${options.kubeconfig.path} names no usable cluster in its current context.`,
    );
  }
  if (cluster.proxyUrl !== undefined) throw configError('The kubeconfig wants a proxy-url, which is not supported.');
  const url = new URL(cluster.server);
  if (url.protocol !== 'https:' && !loopback.test(url.hostname)) {
    throw configError(`The API server ${url.origin} is not reached over HTTPS; credentials are not sent to it.`);
  }
  // The library refuses plain HTTP unless told that nothing is to be verified; it is this machine alone.
  if (url.protocol === 'http:') config.clusters = config.clusters.map((each) => ({ ...each, skipTLSVerify: true }));
  return config;
}

function readFile(config: KubeConfig, file: { path: string; context?: string }): void {
  try {
    config.loadFromFile(file.path);
  } catch (error) {
    throw configError(`The kubeconfig ${file.path} cannot be read; check the path and its contents.`, error);
  }
  if (file.context === undefined) return;
  if (config.getContextObject(file.context) === null) {
    throw configError(`The kubeconfig ${file.path} has no context ${file.context}.`);
  }
  config.setCurrentContext(file.context);
}

interface Credentials {
  headers: Record<string, string>;
  tls: { ca?: Buffer; cert?: Buffer; key?: Buffer; servername?: string; rejectUnauthorized?: boolean };
}

/** Token files are read and exec plugins run by the client library; only its result is used. */
async function readCredentials(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value.trim();
  }
  if (typeof options.auth === 'string') {
    headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const { ca, cert, key, servername, rejectUnauthorized } = options as Credentials['tls'];
  return {
    headers,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
  };
}

function configError(publicMessage: string, cause?: unknown): AppError {
  return new AppError({ code: 'kube-config', disposition: 'stall', publicMessage, cause });
}
