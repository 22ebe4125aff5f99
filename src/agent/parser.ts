import { Worker } from 'node:worker_threads';
import { AppError } from '../error/app-error.js';
import { createTurnstile } from '../renderers/turnstile.js';
import { type ParseAnswer, type ParseDeps, type ParseRequest, parseDocuments } from './source/parse-documents.js';

export interface ParserOptions {
  /** Requests of at most so many characters are parsed at once, in this thread. Default 16 Ki, which cost at most some 50 ms. */
  inlineLength?: number;
  /** Of one request in the thread. Default 10 s. */
  timeoutMs?: number;
  /** Of the thread's own objects. Default 256, in which all that the limits let through is read. */
  memoryMb?: number;
  /** The thread ends when nothing was parsed for so long. Default 30 s. */
  idleMs?: number;
}

/** Parses what sources hold; large ones in a thread of their own, one at a time, so that none holds up the agent. */
export interface Parser extends ParseDeps {
  /** Ends the thread. */
  close(): Promise<void>;
}

const defaults = { inlineLength: 16 * 1024, timeoutMs: 10_000, memoryMb: 256, idleMs: 30_000 };

/** Beside this file when it is built. Run from its source, as tests do, a thread needs the built one all the same. */
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/agent/parse-worker.js' : './parse-worker.js',
  import.meta.url,
);

/** The thread is started when it is first needed. */
export function createParser(options: ParserOptions = {}): Parser {
  const { inlineLength, timeoutMs, memoryMb, idleMs } = { ...defaults, ...options };
  const turnstile = createTurnstile(1);
  let worker: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;

  function start(): Worker {
    const started = new Worker(workerFile, {
      // Nothing of this process: what is parsed is a stranger's.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 16 },
    });
    started.once('exit', () => {
      if (worker === started) worker = null;
    });
    // Each request listens for itself; one that fails while nobody does is started anew.
    started.on('error', () => undefined);
    return started;
  }

  async function end(): Promise<void> {
    clearTimeout(idle);
    const ended = worker;
    worker = null;
    await ended?.terminate();
  }

  async function parseApart(request: ParseRequest, signal: AbortSignal): Promise<unknown[]> {
    signal.throwIfAborted();
    clearTimeout(idle);
    worker ??= start();
    try {
      const answer = await ask(worker, request, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      idle = setTimeout(() => void end(), idleMs).unref();
      worker?.unref();
      if ('json' in answer) return JSON.parse(answer.json) as unknown[];
      throw new AppError(answer.refusal);
    } catch (error) {
      if (error instanceof AppError) throw error;
      // It may be parsing still, or have no memory left.
      await end();
      signal.throwIfAborted();
      throw tooMuch(request, error, { timeoutMs, memoryMb });
    }
  }

  return {
    async parse(request, signal) {
      signal.throwIfAborted();
      const length = request.files.reduce((sum, { text }) => sum + text.length, 0);
      if (length <= inlineLength) return parseDocuments(request);
      return turnstile(signal, () => parseApart(request, signal));
    },
    close: end,
  };
}

/** Rejects with the thread's error, or with the signal's reason. */
function ask(worker: Worker, request: ParseRequest, signal: AbortSignal): Promise<ParseAnswer> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => () => {
      for (const [event, listener] of listeners) worker.off(event, listener);
      signal.removeEventListener('abort', abort);
      outcome();
    };
    const abort = settle(() => reject(signal.reason));
    const listeners: [string, (value: unknown) => void][] = [
      ['message', (answer) => settle(() => resolve(answer as ParseAnswer))()],
      ['error', (error) => settle(() => reject(error))()],
      ['exit', () => settle(() => reject(new Error('the thread ended')))()],
    ];
    for (const [event, listener] of listeners) worker.on(event, listener);
    signal.addEventListener('abort', abort, { once: true });
    worker.ref();
    worker.postMessage(request);
  });
}

/** Throws on what is neither the time nor the memory of the thread: a bug. */
function tooMuch(request: ParseRequest, error: unknown, limits: { timeoutMs: number; memoryMb: number }): AppError {
  const isTime = error instanceof DOMException && error.name === 'TimeoutError';
  const isMemory = (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
  if (!isTime && !isMemory) throw error;
  const what = isTime ? `it takes more than ${limits.timeoutMs / 1000} s` : `it takes more than ${limits.memoryMb} MiB`;
  const { path = '' } = request.files[0] ?? {};
  const others = request.files.length > 1 ? ` and ${request.files.length - 1} more` : '';
  return new AppError({
    code: 'source-too-large',
    disposition: 'stall',
    publicMessage: `The manifest ${path}${others} cannot be read: ${what}. Make it smaller and push again.`,
    data: { path },
    cause: error,
  });
}
