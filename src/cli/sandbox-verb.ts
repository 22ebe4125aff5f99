import type { Command } from 'commander';
import { createLogger } from '../log/create-logger.js';
import { print } from './print.js';
import { untilSignal } from './until-signal.js';

interface SandboxFlags {
  kubeconfig?: string;
  data?: string;
  json?: boolean;
  verbose?: boolean;
}

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
  const { startSandbox } = await import('../sandbox/sandbox.js');
  const log = createLogger({
    level: flags.verbose === true ? 'debug' : 'warn',
    name: 'sandbox',
    destination: process.stderr,
  });
  if (flags.json !== true) print('Starting PostgreSQL, Git, GitLab, a cluster and Mayfly …');
  const sandbox = await startSandbox(
    {
      dataDir: flags.data ?? null,
      kubeconfig: flags.kubeconfig ?? null,
      tell: flags.json === true ? null : print,
    },
    log,
  );
  const { addresses } = sandbox;
  if (flags.json === true) print(JSON.stringify(addresses));
  else {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    print(`
Ready after ${seconds} s.

  GitLab         ${addresses.gitlab}/${addresses.project}   <- open a merge request here
  Dashboard      ${addresses.dashboard}
  Environments   git clone -b dynamic-envs ${addresses.git}
  Cluster        KUBECONFIG=${addresses.kubeconfig}
  Database       ${addresses.database.replace(/:[^:@/]*@/, ':…@')}

Ctrl-C ends it. What happens to the previews:
`);
  }
  await untilSignal(log, () => sandbox.stop(), new Promise(() => undefined));
}
