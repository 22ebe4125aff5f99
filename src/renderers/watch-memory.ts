import { readFile } from 'node:fs/promises';

const everyMs = 100;

/**
 * Looks several times a second how much a process holds of its own (files that are mapped into it do not count), and
 * calls `onExcess` once when that is more than `limitBytes`. Returns how to stop, which has to be called. Where the
 * system has no `/proc`, nothing is seen.
 */
export function watchMemory(pid: number, limitBytes: number, onExcess: () => void): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    const held = await heldBytes(pid);
    if (stopped) return;
    if (held !== null && held > limitBytes) onExcess();
    else timer = setTimeout(() => void look(), everyMs);
  }

  void look();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Null: it has ended, or cannot be seen now, for want of a file descriptor for instance. */
async function heldBytes(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}
