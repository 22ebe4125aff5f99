import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Postmaster {
  pid: number;
  /** Undefined while it has not yet written one. */
  port: number | undefined;
}

/** The server that runs on this data directory, from `postmaster.pid`; undefined when none does. */
export async function readPostmaster(pgdata: string): Promise<Postmaster | undefined> {
  const lines = await pidLines(pgdata);
  const pid = Number.parseInt(lines?.[0] ?? '', 10);
  if (!(pid > 0) || !(await isPostmaster(pid, pgdata))) return undefined;
  const port = Number.parseInt(lines?.[3] ?? '', 10);
  return { pid, port: port > 0 ? port : undefined };
}

/**
 * Removes a `postmaster.pid` whose process is gone or, after the number was given out again, is another program:
 * PostgreSQL would refuse to start beside it. Call only when `readPostmaster` found none.
 */
export async function forgetForeignPid(pgdata: string): Promise<void> {
  await rm(join(pgdata, 'postmaster.pid'), { force: true });
}

async function pidLines(pgdata: string): Promise<string[] | undefined> {
  try {
    return (await readFile(join(pgdata, 'postmaster.pid'), 'utf8')).split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A process number alone proves nothing: its command line must name this directory. */
async function isPostmaster(pid: number, pgdata: string): Promise<boolean> {
  return (await commandLine(pid)).includes(pgdata);
}

async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    return (await run('ps', ['-p', String(pid), '-o', 'command='])).stdout;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // No such process: /proc has no such folder (or it went while being read), ps ends with 1.
    if (code === 'ENOENT' || code === 'ESRCH' || Number(code) === 1) return '';
    throw error;
  }
}
