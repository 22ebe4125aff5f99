import type { Logger } from '../log/create-logger.js';
import type { AgentMetrics } from '../metrics/agent-metrics.js';
import type { NetworkSettings, ResourceBounds } from './furnish/furniture-settings.js';
import type { ReadinessNotes } from './readiness.js';

/** A pattern of repositories that previews may be deployed from, and what opens them. */
interface AllowedRepository {
  /** A URL, `*` stands for any text without a scheme or host change: `https://gitlab.example.com/acme/*`. */
  pattern: string;
  /** Sent only to the exact host of `pattern`, over HTTPS (or to a loopback address). */
  username?: string;
  token?: string;
  /** Where a registry's tokens are issued when that is another host, which is sent the credential as well. */
  realm?: string;
}

/** Everything that one agent is told at its start: plain values, durations in milliseconds. */
export interface AgentOptions {
  /** The `spec.destination.name` that this agent answers to. */
  name: string;
  /** Absent: the agent works alone, and no deletion can be explained to it. */
  manager?: { url: string; token: string };
  branch: {
    repository: string;
    /** The branch, `dynamic-envs` by custom. */
    name: string;
    /** The folder of Applications, `apps` by custom. */
    applications: string;
    username?: string;
    token?: string;
  };
  engine: 'builtin';
  /** What every preview's namespace begins with. */
  namespacePrefix: string;
  /** Where the agent keeps its inventory; previews never live there. */
  agentNamespace: string;
  /** Hosts that previews' URLs and Ingresses may use: exact, or `*.preview.example.com`. */
  hosts: string[];
  repositories: AllowedRepository[];
  /** Absolute paths of the programs that make manifests; one that is absent is looked for on PATH. */
  programs?: { kustomize?: string; helm?: string };
  /** Folders between colons, where programs are looked for. Default: none. */
  searchPath?: string;
  /** Kinds beyond (`allow`) or within (`deny`) those that the fence lets through, as `group/Kind`. Default: none. */
  kinds?: { allow: string[]; deny: string[] };
  /** Previews that live here at most, and what each may take; absent: neither is bounded. */
  limits?: { previews: number; resources: ResourceBounds | null };
  /** The only namespace that secrets are copied from. Absent: none are. */
  secretsFrom?: string;
  /** Who may talk with a preview. Absent: everybody. */
  network?: NetworkSettings;
  /** What the probes of URLs may contact. Default: nothing on the agent's own machine. */
  probe?: { allowLoopback: boolean };
  /** The pod-security level that previews' namespaces enforce. */
  podSecurity: 'baseline' | 'restricted';
  /** After this long a teardown that is not done names what blocks it; it goes on trying. */
  teardownTimeoutMs: number;
  /** Previews that are worked on at once. */
  concurrency: number;
  /** Cache of Git objects; may be emptied at any time while the agent is down. */
  dataDir: string;
  /** Absent: the ServiceAccount of the pod that the agent runs in. */
  kubeconfig?: { path: string; context?: string };
  /** How often the branch is looked at and the manager polled without a hint. */
  pollIntervalMs: number;
}

/** What an agent is given beside its options. */
export interface AgentDeps {
  log: Logger;
  /** Ends the agent, as `stop` does. */
  signal?: AbortSignal;
  metrics?: Pick<AgentMetrics, 'observeStage' | 'setPreviews' | 'setOrphans' | 'setBreaker' | 'countMissed'>;
  /** Absent: nobody asks whether it is ready. */
  readiness?: ReadinessNotes;
}
