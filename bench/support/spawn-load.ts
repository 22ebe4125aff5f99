import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a module of this folder as a process of its own, with the argument `send`. It ends with this one. */
export function spawnLoad(moduleUrl: string): ChildProcess {
  const child = fork(fileURLToPath(moduleUrl), ['send']);
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', (code) => {
    process.off('exit', end);
    if (code !== 0) throw new Error(`the sender ended with ${code}`);
  });
  return child;
}
