import { spawn } from 'node:child_process';
import { AppError } from '../error/app-error.js';
import { isExecutable } from './find-program.js';
import { watchMemory } from './watch-memory.js';
import type { Workspace } from './workspace.js';

export interface ProgramRun {
  /** For messages. */
  name: string;
  /** Absolute path. */
  file: string;
  args: readonly string[];
  workspace: Workspace;
  /** On top of the fixed ones. */
  environment?: Record<string, string>;
  limits: ProgramLimits;
  /** Where `prlimit` may be. Default: where Debian has it. */
  prlimit?: readonly string[] | undefined;
  signal: AbortSignal;
}

export interface ProgramLimits {
  timeoutMs: number;
  /** Of what it prints. */
  outputBytes: number;
  /** Of the data that it may allocate: by the system where it can bound that, else by looking at it several times a second. */
  memoryBytes: number;
}

export const programLimits: ProgramLimits = {
  timeoutMs: 30_000,
  outputBytes: 8 * 1024 * 1024,
  memoryBytes: 320 * 1024 * 1024,
};

/** Part of the util-linux of every Debian; where it is absent, the program's memory is watched. */
const prlimitPlaces = ['/usr/bin/prlimit', '/bin/prlimit'];
const errorBytes = 16 * 1024;

/**
 * Runs a program and returns what it printed. No shell; an environment that holds nothing of this process; a home of its
 * own; nothing on its PATH; proxies that answer nothing; and limits of time, memory and output, past which it is killed
 * with everything that it started. Throws `source-render-failed` with its last words, `source-render-timeout`,
 * `source-too-large`.
 */
export async function runProgram(run: ProgramRun): Promise<string> {
  run.signal.throwIfAborted();
  const result = await execute(run, await limited(run));
  run.signal.throwIfAborted();
  switch (result.ended) {
    case 'output':
      throw failed('source-too-large', `${run.name} printed more than ${run.limits.outputBytes} bytes`, run.name);
    case 'time':
      throw failed('source-render-timeout', `${run.name} took more than ${run.limits.timeoutMs / 1000} s`, run.name);
    case 'memory':
      throw failed(
        'source-too-large',
        `${run.name} took more than ${Math.floor(run.limits.memoryBytes / 1024 ** 2)} MiB of memory`,
        run.name,
      );
    case 'failed':
      throw failed('source-render-failed', `${run.name} says: ${lastWords(result.errors, run.workspace)}`, run.name);
    case 'done':
      return result.output;
    default:
      return result.ended satisfies never;
  }
}

interface Command {
  file: string;
  args: string[];
  /** The system bounds its memory. */
  isBounded: boolean;
}

async function limited(run: ProgramRun): Promise<Command> {
  const { memoryBytes, timeoutMs, outputBytes } = run.limits;
  for (const place of run.prlimit ?? prlimitPlaces) {
    if (!(await isExecutable(place))) continue;
    const bounds = [
      `--data=${memoryBytes}`,
      `--cpu=${Math.ceil(timeoutMs / 1000) * 4}`,
      `--fsize=${outputBytes}`,
      '--nofile=1024',
      '--core=0',
    ];
    return { file: place, args: [...bounds, '--', run.file, ...run.args], isBounded: true };
  }
  return { file: run.file, args: [...run.args], isBounded: false };
}

interface Result {
  ended: 'done' | 'failed' | 'time' | 'output' | 'memory';
  output: string;
  errors: string;
}

function execute(run: ProgramRun, { file, args, isBounded }: Command): Promise<Result> {
  return new Promise((resolve, reject) => {
    // A group of its own: what the program starts is ended with it.
    const child = spawn(file, args, {
      cwd: run.workspace.source,
      env: environmentOf(run),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    let bytes = 0;
    let errorCount = 0;
    let ended: Result['ended'] | null = null;
    const end = (why: 'time' | 'output' | 'memory' | 'failed') => {
      ended ??= why;
      killGroup(child.pid);
    };
    const timer = setTimeout(() => end('time'), run.limits.timeoutMs);
    const unwatch =
      isBounded || child.pid === undefined
        ? () => undefined
        : watchMemory(child.pid, run.limits.memoryBytes, () => end('memory'));
    const abort = () => end('failed');
    run.signal.addEventListener('abort', abort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > run.limits.outputBytes) end('output');
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errorCount += chunk.byteLength;
      if (errorCount <= errorBytes) errors.push(chunk);
      else if (errorCount > run.limits.outputBytes) end('output');
    });
    const settle = () => {
      clearTimeout(timer);
      unwatch();
      run.signal.removeEventListener('abort', abort);
    };
    child.once('error', (error) => {
      settle();
      reject(failed('source-render-failed', `${run.name} could not be started`, run.name, error));
    });
    child.once('close', (code, signal) => {
      settle();
      const text = Buffer.concat(errors).toString('utf8') || (signal === null ? '' : `it was ended by ${signal}`);
      resolve({
        ended: ended ?? (code === 0 ? 'done' : 'failed'),
        output: Buffer.concat(output).toString('utf8'),
        errors: text,
      });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Ended by itself in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Nothing answers there: a second lock for what should never be asked for. */
const nowhere = 'http://127.0.0.1:9';

function environmentOf({ workspace, environment, limits }: ProgramRun): Record<string, string> {
  const { home, empty } = workspace;
  return {
    PATH: empty,
    HOME: home,
    TMPDIR: home,
    XDG_CACHE_HOME: `${home}/cache`,
    XDG_CONFIG_HOME: `${home}/config`,
    XDG_DATA_HOME: `${home}/data`,
    LANG: 'C.UTF-8',
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    http_proxy: nowhere,
    https_proxy: nowhere,
    NO_PROXY: '',
    GOMEMLIMIT: String(Math.floor(limits.memoryBytes * 0.8)),
    GOMAXPROCS: '2',
    ...environment,
  };
}

/** The end of what it said, without paths of this machine and control characters. */
function lastWords(errors: string, { root, source }: Workspace): string {
  const plain = errors
    .replaceAll(`${source}/`, '')
    .replaceAll(root, '')
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  if (plain === '') return 'nothing, and failed';
  return plain.length <= 600 ? plain : `… ${plain.slice(-600)}`;
}

function failed(code: string, what: string, program: string, cause?: unknown): AppError {
  return new AppError({
    code,
    disposition: 'stall',
    publicMessage: `The preview's manifests could not be made: ${what}. Correct the source and push again.`,
    data: { program },
    ...(cause === undefined ? {} : { cause }),
  });
}
