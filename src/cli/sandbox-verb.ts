import type { Command } from 'commander';
import { readEnvironment } from '../config/environment.js';
import { AppError } from '../error/app-error.js';
import { createLogger } from '../log/create-logger.js';
import type { SandboxAddresses } from '../sandbox/sandbox.js';
import { print } from './print.js';
import { untilSignal } from './until-signal.js';

interface SandboxFlags {
  kubeconfig?: string;
  data?: string;
  json?: boolean;
  verbose?: boolean;
}

/** Nobody else ends what was started: better late than left behind. */
const stopTimeoutMs = 60_000;

/** `sandbox`: everything on one machine, for a first look. */
export function addSandboxVerb(program: Command): void {
  program
    .command('sandbox')
    .description('run everything on this machine: GitLab, Git, PostgreSQL, a cluster, Mayfly')
    .option('--kubeconfig <file>', 'a real cluster instead of the stand-in')
    .option('--data <directory>', 'keep everything for the next start')
    .option('--json', 'print one line of addresses when all is ready, and nothing else')
    .option('--verbose', 'print the logs of all parts')
    .action(runSandbox);
}

async function runSandbox(flags: SandboxFlags): Promise<void> {
  const startedAt = performance.now();
  // Loaded here alone: the production image has neither the stand-ins nor the embedded database.
  const { startSandbox } = await import('../sandbox/sandbox.js').catch(toldAsMissing);
  const log = createLogger({
    level: flags.verbose === true ? 'debug' : 'warn',
    name: 'sandbox',
    destination: process.stderr,
  });
  if (flags.json !== true) print('Starting PostgreSQL, Git, GitLab, a cluster and Mayfly …');
  const interrupted = new AbortController();
  const starting = startSandbox(
    {
      dataDir: flags.data ?? null,
      kubeconfig: flags.kubeconfig ?? null,
      tell: flags.json === true ? null : print,
      searchPath: readEnvironment().searchPath ?? '',
      signal: interrupted.signal,
    },
    log,
  );
  const announced = starting.then(({ addresses }) => {
    if (interrupted.signal.aborted) return;
    print(flags.json === true ? JSON.stringify(addresses) : welcome(addresses, performance.now() - startedAt));
  });
  // A signal during the start, too, ends all that was started.
  const stop = async (): Promise<void> => {
    interrupted.abort();
    if (flags.json !== true) print('\nStopping …');
    const sandbox = await starting.catch((error: unknown) => {
      log.debug({ err: error }, 'the start was interrupted');
      return null;
    });
    await sandbox?.stop();
  };
  await untilSignal(log, stop, foreverAfter(announced), stopTimeoutMs);
}

function toldAsMissing(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
  throw new AppError({
    code: 'sandbox-missing',
    disposition: 'stall',
    publicMessage: 'This installation has no sandbox. Run it from a clone of the repository: npm ci && npm start',
    cause: error,
  });
}

/** Rejects when `first` does; never resolves. */
async function foreverAfter(first: Promise<void>): Promise<void> {
  await first;
  return new Promise(() => undefined);
}

function welcome(addresses: SandboxAddresses, tookMs: number): string {
  return `
Ready after ${(tookMs / 1_000).toFixed(1)} s.

  GitLab         ${addresses.gitlab}/${addresses.project}   <- open a merge request here
  Dashboard      ${addresses.dashboard}
  Environments   git clone -b dynamic-envs ${addresses.git}
  Cluster        KUBECONFIG=${addresses.kubeconfig} kubectl get ns,deploy -A

Ctrl-C ends it. What happens to the previews:
`;
}
