import { randomInt } from 'node:crypto';
import { freePort } from '../../src/sandbox/free-port.js';

/**
 * A free port of 127.0.0.1 for a program that is started later, perhaps more than once. It lies below the ports that
 * systems give out themselves, so that nothing takes it meanwhile.
 */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if ((await freePort(port)) === port) return port;
  }
}
