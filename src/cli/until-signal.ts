import type { Logger } from '../log/create-logger.js';

/** npm repeats to its child the Ctrl-C that the terminal has sent to both; nobody presses it twice as fast. */
const repeatedWithinMs = 500;

/** What is not done by then is abandoned: it is safe to, for running again heals it. */
const defaultStopTimeoutMs = 9_500;

/**
 * Runs until SIGTERM or SIGINT, then stops, within 10 s unless told otherwise. Rejects when the program broke by itself. A second signal
 * ends it at once.
 */
export async function untilSignal(
  log: Logger,
  stop: () => Promise<void>,
  done: Promise<void>,
  stopTimeoutMs = defaultStopTimeoutMs,
): Promise<void> {
  const signalled = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const signal = await Promise.race([signalled, done]);
  if (signal === undefined) return;
  log.info({ signal }, 'stopping');
  const signalledAt = performance.now();
  const endAtOnce = (): void => {
    if (performance.now() - signalledAt > repeatedWithinMs) process.exit(1);
  };
  process.on('SIGTERM', endAtOnce);
  process.on('SIGINT', endAtOnce);
  const timer = setTimeout(() => {
    log.error({ stopTimeoutMs }, 'not stopped in time, ending all the same');
    process.exit(1);
  }, stopTimeoutMs);
  await stop();
  clearTimeout(timer);
  log.info('stopped');
}
