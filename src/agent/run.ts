import { join } from 'node:path';
import { openMirror } from '../git/mirror.js';
import { askVersion } from '../kube/ask-version.js';
import { openConnection } from '../kube/connection.js';
import { createKubeClient } from '../kube/kube-client.js';
import { startAgent } from './agent.js';
import type { AgentDeps, AgentOptions } from './agent-options.js';
import { createCluster } from './cluster.js';
import { createManagerClient, type ManagerClient } from './link/manager-client.js';
import { openMemory } from './remember.js';
import { openSources } from './sources.js';

export interface RunningAgent {
  /** Resolves after the first look at the branch; rejects when the agent cannot start. */
  ready: Promise<void>;
  /** Cancels what is under way and resolves when nothing runs any more. */
  stop(): Promise<void>;
  /** Resolves after `stop`; rejects when the agent ended by itself. */
  done: Promise<void>;
}

/** Runs one agent. What it was doing when it is stopped is taken up by the next run. */
export function runAgent(options: AgentOptions, deps: AgentDeps): RunningAgent {
  const control = new AbortController();
  const signal = deps.signal === undefined ? control.signal : AbortSignal.any([control.signal, deps.signal]);
  let begun: () => void = () => undefined;
  const looked = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const done = run(options, deps, begun, signal);
  const ready = Promise.race([looked, done]);
  // Whoever holds only one of the two promises must not be struck by the other.
  ready.catch(() => undefined);
  done.catch(() => undefined);
  return {
    ready,
    done,
    async stop() {
      control.abort(new DOMException('stopped', 'AbortError'));
      await done;
    },
  };
}

async function run(options: AgentOptions, deps: AgentDeps, begun: () => void, signal: AbortSignal): Promise<void> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const connection = await openConnection(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig });
    closers.push(connection.close);
    deps.readiness?.connected((until) => askVersion(connection, until));
    const cluster = createCluster(createKubeClient(connection), deps.log);
    const manager = openManager(options);
    if (manager !== null) closers.push(manager.close);
    const branch = await openMirror({
      directory: join(options.dataDir, 'branch'),
      url: options.branch.repository,
      auth: branchAuth(options),
      log: deps.log,
    });
    closers.push(branch.close);
    const sources = await openSources(options, deps.log);
    closers.push(sources.close);
    const place = { namespace: options.agentNamespace, agent: options.name };
    const memory = await openMemory(cluster.memory, place, deps.log, signal);
    deps.log.info(
      { agent: options.name, cluster: connection.server, living: memory.inventories.length },
      'agent started',
    );
    await startAgent({ ...deps, cluster, manager, branch, sources, memory, begun }, options, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const close of closers.reverse()) await close();
    deps.log.info({ agent: options.name }, 'agent stopped');
  }
}

function openManager(options: AgentOptions): ManagerClient | null {
  return options.manager === undefined ? null : createManagerClient(options.manager);
}

function branchAuth({ branch }: AgentOptions): { origin: string; token: string; username?: string } | null {
  if (branch.token === undefined || !URL.canParse(branch.repository)) return null;
  const { origin } = new URL(branch.repository);
  return { origin, token: branch.token, ...(branch.username === undefined ? {} : { username: branch.username }) };
}
