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
  repositories: { pattern: string; username?: string; token?: string; realm?: string }[];
  /** Absolute paths; one that is absent is looked for on PATH. */
  programs?: { kustomize?: string; helm?: string };
  /** What the probes of URLs may contact. */
  probe: { allowLoopback: boolean };
  podSecurity: 'baseline' | 'restricted';
  /** `resources` caps what one preview takes; null: nothing is bounded. */
  limits: { previews: number; resources: { cpu?: string; memory?: string; pods?: number } | null };
  /** Absent: no secrets are copied. */
  secretsFrom?: string;
  network: { policy: 'isolated' | 'open'; allowFrom: string[]; denyTo: string[] };
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
