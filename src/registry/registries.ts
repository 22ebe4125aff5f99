import { isIP } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { assertReachable, guardedLookup, type Resolve, resolveName } from './address.js';

/** A host that the configuration lists: a registry, or a service that gives out tokens for one. */
export interface RegistryEntry {
  /** In lower case, with its port where it has one. */
  host: string;
  /** null: nobody signs in. */
  credential: { username: string; password: string } | null;
  /** It may have a private or loopback address. */
  private: boolean;
  /** Plain HTTP. */
  insecure: boolean;
}

export interface RegistriesOptions {
  /** Those that are listed now; nothing else is ever contacted. */
  entries: () => readonly RegistryEntry[];
  /** How long one answer may take. Default 10,000. */
  timeoutMs?: number;
  /** Connections to one host at once. Default 4. */
  maxConnections?: number;
  /** What a name stands for. Default: the system's resolver. */
  resolve?: Resolve;
  /** Default: this machine's. */
  clock?: () => number;
}

interface KnownAuthorization {
  header: string;
  expiresAt: number;
}

/** The connections to all listed registries; first parameter of `lookForImage`. */
export interface Registries {
  entries: () => readonly RegistryEntry[];
  timeoutMs: number;
  clock: () => number;
  agentOf: (entry: RegistryEntry) => Agent;
  /** What a registry wants in the header Authorization, by registry, credential and repository. */
  authorizations: Map<string, Promise<KnownAuthorization>>;
  /** Until when a registry that had enough is left alone. */
  pausedUntil: Map<string, number>;
  close: () => Promise<void>;
}

const mostBytes = 256 * 1024;

/** Opens no connection yet: the first question does. Call `close` at the end. */
export function createRegistries(options: RegistriesOptions): Registries {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const agents = new Map<string, Agent>();
  return {
    entries: options.entries,
    timeoutMs,
    clock: options.clock ?? Date.now,
    agentOf(entry) {
      // What a connection may do belongs to it: an entry that was changed gets connections of its own.
      const key = `${entry.host} ${entry.private}`;
      const known = agents.get(key);
      if (known !== undefined) return known;
      const agent = createAgent(entry, { ...options, timeoutMs });
      agents.set(key, agent);
      return agent;
    },
    authorizations: new Map(),
    pausedUntil: new Map(),
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
    },
  };
}

function createAgent(entry: RegistryEntry, options: RegistriesOptions & { timeoutMs: number }): Agent {
  const { timeoutMs } = options;
  const lookup = guardedLookup(options.resolve ?? resolveName, entry.private);
  const connect = buildConnector({ timeout: timeoutMs, lookup });
  return new Agent({
    connections: options.maxConnections ?? 4,
    pipelining: 1,
    keepAliveTimeout: 10_000,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: mostBytes,
    connect(target, callback) {
      // An address that is written as such is never looked up.
      const address = target.hostname.replace(/^\[|\]$/g, '');
      try {
        if (isIP(address) !== 0) assertReachable(entry.host, address, entry.private);
      } catch (error) {
        callback(error as Error, null);
        return;
      }
      connect(target, callback);
    },
  });
}

/** The entry of a host; undefined: it is not listed. */
export function entryOf(registries: Registries, host: string): RegistryEntry | undefined {
  return registries.entries().find((entry) => entry.host === host);
}

/** `https://registry.example.com`. */
export function originOf(entry: RegistryEntry): string {
  return new URL(`${entry.insecure ? 'http' : 'https'}://${entry.host}`).origin;
}
