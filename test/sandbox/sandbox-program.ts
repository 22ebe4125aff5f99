import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { SandboxAddresses } from '../../src/sandbox/sandbox.js';
import { until } from '../support/until.js';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** `mayfly sandbox --json` as a process of its own, as `npm run build` left it. */
export interface SandboxProgram {
  addresses: SandboxAddresses;
  stdout: () => string;
  stderr: () => string;
  /** Resolves with the exit code, or the signal that ended it. */
  kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** Calls GitLab's REST API as the user of the printed token. */
  gitlab<T>(method: string, path: string, body?: Record<string, unknown>): Promise<T>;
}

/** Resolves when the line of addresses is printed. It is killed when this process ends. */
export async function startSandboxProgram(args: string[] = []): Promise<SandboxProgram> {
  const child: ChildProcess = spawn(process.execPath, [cli, 'sandbox', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const killWithParent = () => child.kill('SIGKILL');
  process.once('exit', killWithParent);
  const ended = once(child, 'exit').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
    process.off('exit', killWithParent);
    return (signal ?? code ?? 0) as number | NodeJS.Signals;
  });
  await until('the line of addresses', () => stdout.includes('\n') || child.exitCode !== null, {
    explain: () => stderr,
  });
  if (child.exitCode !== null) throw new Error(`the sandbox ended with ${child.exitCode}\n${stderr}`);
  const addresses = JSON.parse(stdout) as SandboxAddresses;
  return {
    addresses,
    stdout: () => stdout,
    stderr: () => stderr,
    kill(signal) {
      child.kill(signal);
      return ended;
    },
    async gitlab<T>(method: string, path: string, body?: Record<string, unknown>) {
      const answer = await fetch(`${addresses.gitlab}/api/v4${path}`, {
        method,
        headers: { 'private-token': addresses.token, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as T;
    },
  };
}

/** What a browser gets: any name below `.localhost` is this machine there, and not everywhere else. */
export function openInBrowser(address: string): Promise<{ status: number; text: string }> {
  const url = new URL(address);
  return new Promise((resolve, reject) => {
    const asked = get(
      { host: '127.0.0.1', port: url.port, path: url.pathname, headers: { host: url.host } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    asked.on('error', reject);
  });
}
