import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { AppError } from '../error/app-error.js';

export type ProgramName = 'kustomize' | 'helm';

/** Where the programs are; one that is absent is looked for on `searchPath`. */
export interface ProgramPlaces {
  kustomize?: string;
  helm?: string;
  /** As `PATH`: folders between colons. */
  searchPath: string;
}

/**
 * Absolute path of a program. Throws `source-program-missing`, which names it and how it is configured. Looked for each
 * time: one that was installed meanwhile is found without a restart.
 */
export async function findProgram(name: ProgramName, places: ProgramPlaces): Promise<string> {
  const configured = places[name];
  const folders = places.searchPath.split(delimiter).filter(isAbsolute);
  for (const path of configured === undefined ? folders.map((folder) => join(folder, name)) : [configured]) {
    if (await isExecutable(path)) return path;
  }
  const where = configured === undefined ? 'is not on the PATH of the agent' : `is not at ${configured}`;
  throw new AppError({
    code: 'source-program-missing',
    disposition: 'stall',
    publicMessage: `The preview's source needs the program ${name}, which ${where}; an operator can install it, or name it in agent.yaml as programs.${name}.`,
    data: { program: name },
  });
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return false;
    throw error;
  }
}
