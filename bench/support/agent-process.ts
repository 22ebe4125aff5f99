import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** What one agent has used since its start. */
interface AgentUse {
  /** To the API server, by method; a watch is one. */
  requests: Record<string, number>;
  cpuMs: number;
  /** Resident, bytes. */
  rss: number;
  /** Of it, what JavaScript's objects take, garbage included, and what is set aside for them. */
  heapUsed: number;
  heapTotal: number;
}

/** An agent as `npm run build` left it, in a process of its own, that tells what it uses. */
export interface AgentProcess {
  use(): Promise<AgentUse>;
  /** What it printed that was no information. */
  complaints(): string[];
  kill(): Promise<void>;
}

/** Runs in the agent's process before the agent: counts what its HTTP client sends, and answers when it is asked. */
const counter = `
import { subscribe } from 'node:diagnostics_channel';
const requests = {};
subscribe('undici:request:create', ({ request }) => {
  if (String(request.origin) !== process.env.BENCH_API_SERVER) return;
  requests[request.method] = (requests[request.method] ?? 0) + 1;
});
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  process.send({ requests, cpuMs: (user + system) / 1_000, rss, heapUsed, heapTotal });
});
process.channel.unref();
`;

/** Starts `mayfly agent --config FILE`; resolves when it has looked at its branch. `BENCH_EXEC_ARGV`: more for Node.js. */
export async function startAgentProcess(configFile: string, apiServer: string): Promise<AgentProcess> {
  const more = (process.env.BENCH_EXEC_ARGV ?? '').split(' ').filter((word) => word !== '');
  const child = fork(cli, ['agent', '--config', configFile], {
    execArgv: ['--import', `data:text/javascript,${encodeURIComponent(counter)}`, ...more],
    // As deploy/agent runs it.
    env: { ...process.env, NODE_OPTIONS: '--max-semi-space-size=4', BENCH_API_SERVER: apiServer },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const complaints: string[] = [];
  await readyOf(child, complaints);
  return {
    async use() {
      const answer = once(child, 'message');
      child.send('use');
      return ((await answer) as [AgentUse])[0];
    },
    complaints: () => complaints,
    async kill() {
      process.off('exit', end);
      const exited = once(child, 'exit');
      child.kill(more.length === 0 ? 'SIGKILL' : 'SIGTERM');
      await exited;
    },
  };
}

/** Reads its log: information is level 30, and is not kept. */
function readyOf(child: ChildProcess, complaints: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      for (const line of chunk.toString('utf8').split('\n')) {
        if (line.includes('"msg":"agent ready"')) resolve();
        else if (line !== '' && !/"level":("?info"?|"?debug"?|[1-3]0)[,}]/.test(line)) complaints.push(line);
      }
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`the agent ended with ${code}:\n${complaints.join('\n')}`)));
  });
}
