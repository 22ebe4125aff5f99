#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addAgentVerbs } from './cli/agent-verbs.js';
import { addBreakerVerbs } from './cli/breaker-verbs.js';
import { addBuildVerb } from './cli/build.js';
import { addCheckVerb } from './cli/check-verb.js';
import { addHealthVerb } from './cli/health.js';
import { addPreviewVerbs } from './cli/preview-verbs.js';
import { addProgramVerbs } from './cli/program-verbs.js';
import { addRenderVerb } from './cli/render.js';
import { addSandboxVerb } from './cli/sandbox-verb.js';
import { addSweepVerb } from './cli/sweep.js';
import { isAppError } from './error/app-error.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('mayfly')
  .description('Preview environments for GitLab merge requests, on Kubernetes, through Git.')
  .version(version, '-V, --version')
  .addHelpText(
    'after',
    '\nVerbs about previews ask a running manager: MAYFLY_URL is its address, MAYFLY_TOKEN a token of its `api.tokens`.',
  )
  .exitOverride()
  .showHelpAfterError('(mayfly --help lists the verbs)');
addSandboxVerb(program);
addProgramVerbs(program);
addCheckVerb(program);
addPreviewVerbs(program);
addBreakerVerbs(program);
addHealthVerb(program);
addBuildVerb(program);
addAgentVerbs(program);
addRenderVerb(program);
addSweepVerb(program);
program
  .command('version')
  .description('print the version')
  .action(() => {
    process.stdout.write(`${version}\n`);
  });

/** 0: done. 1: failed. 2: wrong use. */
async function main(): Promise<number> {
  try {
    await program.parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!isAppError(error)) throw error;
    // It may quote what a stranger wrote: nothing of that is an order to the terminal.
    process.stderr.write(`mayfly: ${error.publicMessage.replace(/[^\P{Cc}\n]/gu, ' ')}\n`);
    return 1;
  }
}

/** Resolves when all that was written has left: a pipe takes more than its buffer in its own time. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

const exitCode = await main();
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// A handle that a library left open must not keep a finished command alive.
process.exit(exitCode);
