import type { Command } from 'commander';
import { newApiToken } from '../config/api-token.js';
import { readEnvironment } from '../config/environment.js';
import { loadAgentConfig } from '../config/load-agent-config.js';
import { loadManagerConfig } from '../config/load-manager-config.js';
import type { ConfigProblem } from '../config/problem.js';
import { createLogger, type Logger } from '../log/create-logger.js';
import { createSecrets } from '../log/secrets.js';
import { createAgentMetrics } from '../metrics/agent-metrics.js';
import { print } from './print.js';
import { untilSignal } from './until-signal.js';

/** `serve`, `agent`, `migrate`, `rebuild` and `token new`: what runs without another Mayfly. Each program is loaded only by its verb. */
export function addProgramVerbs(program: Command): void {
  program
    .command('serve')
    .description('run the manager')
    .option('-c, --config <file>', 'configuration; default: MAYFLY_CONFIG, or mayfly.yaml')
    .action(async (options: { config?: string }) => runServe(managerFile(options.config)));
  program
    .command('agent')
    .description('run the agent of one cluster')
    .option('-c, --config <file>', 'configuration; default: MAYFLY_CONFIG, or agent.yaml')
    .action(async (options: { config?: string }) => runAgentProgram(options.config));
  program
    .command('migrate')
    .description('bring the database up to date; `serve` does the same at its start')
    .option('-c, --config <file>', 'configuration; default: MAYFLY_CONFIG, or mayfly.yaml')
    .action(async (options: { config?: string }) => {
      const { config, secrets } = await loadManagerConfig({ file: managerFile(options.config) });
      const log = createLogger({ level: 'warn', name: 'manager', secrets: createSecrets(secrets) });
      const { migrateDatabase } = await import('../manager/serve-database.js');
      const applied = await migrateDatabase(config, { log, signal: new AbortController().signal });
      print(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`);
    });
  program
    .command('rebuild')
    .description('make the rows of a lost or restored database from the branch; the manager must not run meanwhile')
    .option('-c, --config <file>', 'configuration; default: MAYFLY_CONFIG, or mayfly.yaml')
    .action(async (options: { config?: string }) => {
      const { config, secrets } = await loadManagerConfig({ file: managerFile(options.config) });
      const log = createLogger({ level: 'warn', name: 'manager', secrets: createSecrets(secrets) });
      const { rebuild } = await import('../manager/serve-rebuild.js');
      await rebuild(config, { print, log, signal: new AbortController().signal });
    });
  program
    .command('token')
    .description('tokens of the API')
    .command('new')
    .description('make a token: its two halves, for the caller and for `api.tokens`')
    .action(() => {
      const { token, hash } = newApiToken();
      print(`token: ${token}\nhash:  ${hash}\n\nGive the token to its user; put the hash into \`api.tokens\`.`);
    });
}

export function managerFile(given: string | undefined): string {
  return given ?? readEnvironment().configFile ?? 'mayfly.yaml';
}

async function runServe(file: string): Promise<void> {
  const loaded = await loadManagerConfig({ file });
  const secrets = createSecrets(loaded.secrets);
  const log = createLogger({ level: loaded.config.log.level, name: 'manager', secrets });
  warnOf(log, loaded.warnings);
  const start = new AbortController();
  const { serve } = await import('../manager/serve.js');
  const starting = serve(loaded.config, {
    log,
    signal: start.signal,
    reload: async () => {
      const next = await loadManagerConfig({ file });
      secrets.add(next.secrets);
      warnOf(log, next.warnings);
      return next.config;
    },
  });
  // A signal during the start, too, ends all that was started: GitLab may be silent for long.
  const stop = async (): Promise<void> => {
    start.abort();
    const manager = await starting.catch((error: unknown) => {
      log.debug({ err: error }, 'the start was interrupted');
      return null;
    });
    await manager?.stop();
  };
  await untilSignal(
    log,
    stop,
    starting.then((manager) => manager.done),
  );
}

async function runAgentProgram(given: string | undefined): Promise<void> {
  const environment = readEnvironment();
  const { config, secrets, warnings } = await loadAgentConfig({
    file: given ?? environment.configFile ?? 'agent.yaml',
  });
  const log = createLogger({ level: config.log.level, name: 'agent', secrets: createSecrets(secrets) });
  warnOf(log, warnings);
  const fallback = environment.kubeconfig === null ? {} : { kubeconfig: { path: environment.kubeconfig } };
  const { runAgent } = await import('../agent/run.js');
  const { createReadiness } = await import('../agent/readiness.js');
  const { listen } = await import('../manager/web/listen.js');
  const { createProbes } = await import('../manager/web/probes.js');
  const metrics = createAgentMetrics();
  const { manager, pollIntervalMs } = config;
  const readiness = createReadiness({ pollIntervalMs, hasManager: manager !== undefined, now: Date.now });
  const probes = createProbes({ checks: readiness.checks, metrics: metrics.render, log });
  const server = await listen(probes, { host: config.listen.host, port: config.listen.metricsPort });
  const searchPath = environment.searchPath ?? '';
  const agent = runAgent({ ...fallback, ...config, searchPath }, { log, metrics, readiness: readiness.notes });
  await agent.ready;
  log.info({ agent: config.name }, 'agent ready');
  await untilSignal(log, () => agent.stop(), agent.done);
  await server.stop(0);
}

function warnOf(log: Logger, warnings: readonly ConfigProblem[]): void {
  for (const warning of warnings) log.warn({ ...warning }, 'configuration is unwise');
}
