import { AppError } from '../error/app-error.js';

/** One thing that is wrong in a configuration file. */
export interface ConfigProblem {
  file: string;
  /** From 1. */
  line: number;
  column: number;
  /** `projects[0].preview.url`; empty when it concerns the whole file. */
  path: string;
  /** What is wrong and what to do; never the value of a secret. */
  message: string;
}

/** `mayfly.yaml:12:5 gitlab.token: missing. …` */
function formatProblem(problem: ConfigProblem): string {
  const where = `${problem.file}:${problem.line}:${problem.column}`;
  return problem.path === '' ? `${where} ${problem.message}` : `${where} ${problem.path}: ${problem.message}`;
}

/** All problems of a file as one error of code `config-invalid`; `data.problems` holds them one by one. */
export function configInvalid(file: string, problems: readonly ConfigProblem[]): AppError {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  const count = sorted.length === 1 ? '1 problem' : `${sorted.length} problems`;
  return new AppError({
    code: 'config-invalid',
    disposition: 'stall',
    publicMessage: [`${file} has ${count}; nothing of it was taken:`, ...sorted.map(formatProblem)].join('\n  '),
    data: { file, problems: sorted },
  });
}

/** `['projects', 0, 'preview']` as `projects[0].preview`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );
}
