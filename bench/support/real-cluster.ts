import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A real API server for the time of a bench. */
export interface RealCluster {
  kubeconfig: string;
  /** It is somebody's, and goes on after the bench. */
  isLent: boolean;
  close(): Promise<void>;
}

/**
 * The cluster of `TEST_KUBECONFIG`, or one of its own by the `kube-test` of `MAYFLY_TEST_TOOLS` or of the user's
 * cache. Answers why there is none.
 */
export async function openRealCluster(): Promise<RealCluster | { missing: string }> {
  const given = process.env.TEST_KUBECONFIG;
  if (given) return { kubeconfig: given, isLent: true, close: async () => undefined };
  const program = findProgram();
  if (program === null) return { missing: 'no API server: set TEST_KUBECONFIG, or MAYFLY_TEST_TOOLS to its folder' };
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-bench-cluster-'));
  const child = spawn(program, ['up', '-dir', directory, '-with-parent'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  const ready = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const kubeconfig = /^ready kubeconfig=(?<path>\S+)/.exec(line)?.groups?.path;
      if (kubeconfig !== undefined) resolve(kubeconfig);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  return { kubeconfig: await ready, isLent: false, close };
}

function findProgram(): string | null {
  const folder = process.env.MAYFLY_TEST_TOOLS;
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const places = folder === undefined ? folders(join(cache, 'mayfly-test-tools')) : [folder];
  return places.map((place) => join(place, 'kube-test')).find((path) => existsSync(path)) ?? null;
}

function folders(parent: string): string[] {
  return existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name)) : [];
}
