import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const maxSecretBytes = 64 * 1024;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substitution {
  text: string;
  /** The values that were put in; each may be a secret. */
  taken: string[];
  /** Sentences on what could not be put in; without any value. */
  problems: string[];
}

/**
 * Replaces `${NAME}` by an environment variable and `${file:/path}` by the content of a file, without the line feed
 * that ends it. `$${` stands for `${` itself. A relative path counts from the configuration's folder.
 */
export function substitute(text: string, configFile: string, environment: Environment): Substitution {
  const taken: string[] = [];
  const problems: string[] = [];

  function take(found: { value: string } | { problem: string }): string {
    if ('problem' in found) {
      problems.push(found.problem);
      return '';
    }
    taken.push(found.value);
    return found.value;
  }

  const replaced = text.replace(/\$\$\{|\$\{([^}]*)\}/g, (whole: string, name: string | undefined) => {
    if (name === undefined) return whole.slice(1);
    return take(name.startsWith('file:') ? fromFile(name.slice(5), configFile) : fromVariable(name, environment));
  });
  return { text: replaced, taken, problems };
}

type Found = { value: string } | { problem: string };

function fromVariable(name: string, environment: Environment): Found {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return {
      problem: `\${${name}} names no environment variable. Write \${NAME} or \${file:/path}, or $\${ for the two characters themselves.`,
    };
  }
  const value = environment[name];
  if (value === undefined) return { problem: `the environment variable ${name} is not set. Set it before the start.` };
  if (value.trim() === '') return { problem: `the environment variable ${name} is empty. Give it a value.` };
  return { value };
}

function fromFile(path: string, configFile: string): Found {
  const full = resolve(dirname(configFile), path);
  try {
    if (statSync(full).size > maxSecretBytes) return { problem: `the file ${full} is larger than 64 KiB.` };
    const value = readFileSync(full, 'utf8').replace(/\r?\n$/, '');
    return value.trim() === '' ? { problem: `the file ${full} is empty. Put the value into it.` } : { value };
  } catch (error) {
    return { problem: `the file ${full} cannot be read (${reasonOf(error)}). Mount it, or correct the path.` };
  }
}

/** The system's code, such as ENOENT. Anything else is a fault of this program and goes on. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}
