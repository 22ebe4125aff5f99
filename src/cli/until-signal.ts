import type { Logger } from '../log/create-logger.js';

/** What is not done by then is abandoned: it is safe to, for running again heals it. */
const stopTimeoutMs = 9_500;

/**
 * Runs until SIGTERM or SIGINT, then stops, within 10 s. Rejects when the program broke by itself. A second signal
 * ends it at once.
 */
export async function untilSignal(log: Logger, stop: () => Promise<void>, done: Promise<void>): Promise<void> {
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const signal = await Promise.race([signalled, done]);
  if (signal === undefined) return;
  log.info({ signal }, 'stopping');
  process.once('SIGTERM', () => process.exit(1));
  process.once('SIGINT', () => process.exit(1));
  const timer = setTimeout(() => {
    log.error({ stopTimeoutMs }, 'not stopped in time, ending all the same');
    process.exit(1);
  }, stopTimeoutMs);
  await stop();
  clearTimeout(timer);
  log.info('stopped');
}
