import type { ManagerConfig } from './manager-config.js';

/**
 * A new configuration with what is opened once, at the start, as it is in force: a change of that waits for the next
 * start. `inForce` is what the last reload answered, never the file before, which may differ from it in just that.
 */
export function keepOpened(inForce: ManagerConfig, next: ManagerConfig): ManagerConfig {
  const { branch, database, dataDir, listen, publicUrl, log } = inForce;
  const { url, token } = inForce.gitlab;
  return { ...next, branch, database, dataDir, listen, publicUrl, log, gitlab: { ...next.gitlab, url, token } };
}
