import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import type { Bundle } from '../agent/bundle.js';
import type { ObjectDiff } from '../agent/plan/diff-live.js';
import { parseApplication } from '../application/validate.js';
import { readEnvironment } from '../config/environment.js';
import { loadAgentConfig } from '../config/load-agent-config.js';
import { AppError } from '../error/app-error.js';
import { createLogger } from '../log/create-logger.js';
import { createSecrets } from '../log/secrets.js';
import { print, printData } from './print.js';

interface BuildOptions {
  local?: string;
  config?: string;
  output: 'yaml' | 'json';
  diff?: boolean;
}

/** `build`: what an Application file yields, without a cluster and without a manager. */
export function addBuildVerb(program: Command): void {
  program
    .command('build <file>')
    .description('print the manifests that an Application file yields, after the fence; - reads stdin')
    .option('--local <folder>', 'read this work tree in place of the Application’s repository')
    .option(
      '-c, --config <file>',
      'agent.yaml: its repositories, credentials, hosts and programs; default: any repository, no credential',
    )
    .option('--diff', 'print what applying it would change in the cluster, of agent.yaml or KUBECONFIG')
    .addOption(new Option('-o, --output <format>', 'yaml or json').choices(['yaml', 'json']).default('yaml'))
    .addHelpText('after', '\nExit code: 0 when it can be applied; 1 when it is refused, with the reason.')
    .action(runBuild);
}

async function runBuild(file: string, options: BuildOptions): Promise<void> {
  const application = parseApplication(await readInput(file));
  const loaded = options.config === undefined ? null : await loadAgentConfig({ file: options.config });
  const environment = readEnvironment();
  const fallback = environment.kubeconfig === null ? undefined : { path: environment.kubeconfig };
  const { build } = await import('../agent/build.js');
  const { bundles, diff } = await build({
    application,
    local: options.local ?? null,
    agent: loaded?.config ?? null,
    searchPath: environment.searchPath ?? '',
    cluster: options.diff === true ? (loaded?.config.kubeconfig ?? fallback) : null,
    log: createLogger({ level: 'silent', name: 'build', secrets: createSecrets(loaded?.secrets ?? []) }),
    signal: new AbortController().signal,
  });
  if (diff === null) printManifests(bundles, options.output);
  else if (options.output === 'json') printData('json', diff);
  else for (const each of diff) printDiff(each);
  if (diff?.some(({ change }) => change === 'refused')) process.exitCode = 1;
}

async function readInput(file: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new AppError({
      code: 'file-unreadable',
      disposition: 'stall',
      publicMessage: `${file} cannot be read (${code}). Check its path.`,
    });
  }
}

/** YAML in several documents, or a List: either can be handed to kubectl. */
function printManifests(bundles: readonly Bundle[], output: 'yaml' | 'json'): void {
  if (output === 'json') {
    const items = bundles.flatMap(({ manifests }) => manifests);
    printData('json', { apiVersion: 'v1', kind: 'List', items });
    return;
  }
  for (const { child, manifests } of bundles) {
    for (const [index, manifest] of manifests.entries()) {
      if (child !== null && index === 0) print(`# Application ${child}`);
      print(`---\n${stringify(manifest, { version: '1.1' }).trimEnd()}`);
    }
  }
}

function printDiff({ object, change, reason, fields }: ObjectDiff): void {
  print(`${change.padEnd(8)}  ${object}${reason === null ? '' : `: ${reason}`}`);
  for (const { path, from, to } of fields) print(`            ${path}: ${from ?? '-'} → ${to ?? '-'}`);
}
