import type { LogLevel } from '../log/create-logger.js';

/** `agent.yaml`, validated and complete. Fits what the agent's wiring takes, and has the log's settings beside it. */
export interface AgentConfig {
  name: string;
  /** Absent: the agent works alone, and no deletion can be explained to it. */
  manager?: { url: string; token: string };
  branch: { repository: string; name: string; applications: string; token?: string };
  engine: 'builtin';
  namespacePrefix: string;
  agentNamespace: string;
  hosts: string[];
  repositories: { pattern: string; username?: string; token?: string }[];
  podSecurity: 'baseline' | 'restricted';
  teardownTimeoutMs: number;
  concurrency: number;
  /** Absolute. */
  dataDir: string;
  /** Absent: the ServiceAccount of the pod. */
  kubeconfig?: { path: string; context?: string };
  pollIntervalMs: number;
  /** For probes and metrics; port 0 takes any free one. */
  listen: { host: string; metricsPort: number };
  log: { level: LogLevel };
}
