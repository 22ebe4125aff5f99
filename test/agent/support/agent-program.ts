import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentOptions } from '../../../src/agent/agent-options.js';
import { compileFolders } from '../../support/compiled.js';

/** An agent in a process of its own. */
export interface AgentProgram {
  /** Resolves when it has looked at its branch, or has ended. */
  ready: Promise<void>;
  /** Resolves when it has ended. */
  ended: Promise<void>;
  /** SIGKILL; at once. */
  kill(): void;
}

/** The agent as a program that a test may kill at any moment. */
export interface AgentPrograms {
  start(options: AgentOptions): AgentProgram;
  close(): Promise<void>;
}

const main = `import { pino } from 'pino';
import { runAgent } from './agent/run.js';
const agent = runAgent(JSON.parse(process.argv[2]), { log: pino({ level: process.env.TEST_LOG ?? 'silent' }, pino.destination(2)) });
await agent.ready;
process.stdout.write('ready');
`;

/** Compiles the agent of `src` for the tests of this process. */
export async function compileAgent(): Promise<AgentPrograms> {
  const compiled = await compileFolders(await agentFolders());
  await writeFile(join(compiled.folder, 'main.js'), main);
  const alive = new Set<ChildProcess>();
  return {
    start(options) {
      const child = spawn(process.execPath, [join(compiled.folder, 'main.js'), JSON.stringify(options)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      alive.add(child);
      const ended = once(child, 'exit').then(() => void alive.delete(child));
      const looked = child.stdout === null ? ended : once(child.stdout, 'data').then(() => undefined);
      return { ready: Promise.race([looked, ended]), ended, kill: () => void child.kill('SIGKILL') };
    },
    async close() {
      const ends = [...alive].map((child) => once(child, 'exit'));
      for (const child of alive) child.kill('SIGKILL');
      await Promise.all(ends);
      await compiled.remove();
    },
  };
}

/** All that the agent may be made of: the other house's rooms are not among it. */
async function agentFolders(): Promise<string[]> {
  const entries = await readdir(new URL('../../../src', import.meta.url), { withFileTypes: true });
  const others = ['cli', 'config', 'gitlab', 'manager', 'sandbox', 'store'];
  return entries.filter((entry) => entry.isDirectory() && !others.includes(entry.name)).map(({ name }) => name);
}
