import type { Command } from 'commander';
import { loadManagerConfig } from '../config/load-manager-config.js';
import { createLogger } from '../log/create-logger.js';
import { createSecrets } from '../log/secrets.js';
import { print } from './print.js';
import { managerFile } from './program-verbs.js';

/** `check`: tries a configuration against the real services. */
export function addCheckVerb(program: Command): void {
  program
    .command('check')
    .description('try every service of the configuration, and say what to fix')
    .option('-c, --config <file>', 'configuration; default: MAYFLY_CONFIG, or mayfly.yaml')
    .action(async (options: { config?: string }) => {
      const { config, secrets, warnings } = await loadManagerConfig({ file: managerFile(options.config) });
      for (const warning of warnings) print(`! ${warning.path}: ${warning.message}`);
      const log = createLogger({ level: 'silent', name: 'check', secrets: createSecrets(secrets) });
      const { checkConfiguration } = await import('../manager/serve-check.js');
      process.exitCode = await checkConfiguration(config, { print, log, signal: new AbortController().signal });
    });
}
