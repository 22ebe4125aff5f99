import { spawn } from 'node:child_process';

/** A Git command that ended with another code than 0. */
export class GitCommandError extends Error {
  readonly exitCode: number | null;
  readonly stdout: string;

  constructor(args: string[], exitCode: number | null, stdout: string, stderr: string) {
    super(`git ${args[0] ?? ''}: ${stderr.trim().slice(0, 500)}`);
    this.name = 'GitCommandError';
    this.exitCode = exitCode;
    this.stdout = stdout;
  }
}

/** Runs git in a bare repository, free of the machine's and the user's configuration; gives what it printed. */
export function runGit(folder: string, args: string[], input?: string): Promise<string> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    LC_ALL: 'C',
    GIT_DIR: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  };
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new GitCommandError(args, code, stdout, stderr));
    });
    // A git that ends early closes its input; its exit code tells the story, not the broken pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}
