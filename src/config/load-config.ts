import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { AppError } from '../error/app-error.js';
import { checkAgainst } from './explain-issue.js';
import { type ConfigProblem, configInvalid } from './problem.js';
import { type Environment, reasonOf } from './substitute.js';
import { parseYamlFile, type YamlFile } from './yaml-file.js';

export interface LoadInput {
  /** Path of the file. */
  file: string;
  /** Default: the process's own. */
  environment?: Environment;
}

export interface Loaded<T> {
  config: T;
  /** Every value that must never be shown; for the logger. */
  secrets: string[];
  /** What is allowed and unwise. */
  warnings: ConfigProblem[];
}

/** What is particular to one of the two files. */
export interface FileKind<Input, Config> {
  schema: z.ZodType<Input>;
  /** What concerns several keys; told everything that could be read, also when other parts are wrong. */
  crossCheck(file: YamlFile): ConfigProblem[];
  warn(input: Input, file: YamlFile): ConfigProblem[];
  complete(input: Input): Config;
  secretsOf(config: Config): (string | null | undefined)[];
}

/**
 * Reads a configuration file as a whole.
 * Errors: `config-unreadable`; `config-invalid` with every problem of the file at once.
 */
export async function loadConfig<Input, Config>(
  kind: FileKind<Input, Config>,
  input: LoadInput,
): Promise<Loaded<Config>> {
  const text = await readText(resolve(input.file));
  const file = parseYamlFile(input.file, text, input.environment ?? process.env);
  // A file that is no YAML has no keys to check.
  if (file.value === undefined) throw configInvalid(file.file, file.problems);
  const checked = checkAgainst(kind.schema, file);
  // A variable that could not be filled in is reported once, not again as an empty value.
  const told = new Set(file.problems.map((problem) => problem.path));
  const problems = [...(checked.ok ? [] : checked.problems), ...kind.crossCheck(file)];
  const all = [...file.problems, ...problems.filter((problem) => !told.has(problem.path))];
  if (all.length > 0 || !checked.ok) throw configInvalid(file.file, all);
  const config = kind.complete(checked.value);
  const secrets = [...file.taken, ...kind.secretsOf(config)].filter((value) => typeof value === 'string');
  return { config, secrets: [...new Set(secrets)], warnings: kind.warn(checked.value, file) };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = reasonOf(error);
    throw new AppError({
      code: 'config-unreadable',
      disposition: 'stall',
      publicMessage: `The configuration ${file} cannot be read (${reason}). Give its path with --config, or make it readable.`,
      data: { file, reason },
      cause: error,
    });
  }
}
