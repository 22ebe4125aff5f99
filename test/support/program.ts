import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** A `mayfly` process of its own, as `npm run build` left it. */
export interface Program {
  pid: number;
  /** Everything that it printed; for the message of a failed test. */
  output: () => string;
  /** JSON lines of the log so far. */
  logLines: () => Record<string, unknown>[];
  /** Resolves with the exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
  /** Ends it and waits until it is gone. */
  kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** Starts `mayfly ARGS`. It is killed when this process ends. */
export function startProgram(args: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}): Program {
  const child: ChildProcess = spawn(process.execPath, ['--enable-source-maps', cli, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  const killWithParent = () => child.kill('SIGKILL');
  process.once('exit', killWithParent);
  const ended = once(child, 'exit').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
    process.off('exit', killWithParent);
    return (signal ?? code ?? 0) as number | NodeJS.Signals;
  });
  return {
    pid: child.pid ?? 0,
    output: () => lines.join('\n'),
    logLines: () => lines.flatMap(parseLine),
    ended,
    kill(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** Runs `mayfly ARGS` to its end. */
export async function runProgram(
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<{ code: number | NodeJS.Signals; output: string }> {
  const program = startProgram(args, options);
  const code = await program.ended;
  return { code, output: program.output() };
}

function parseLine(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
