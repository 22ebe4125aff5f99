import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createState, type GitLabState } from './state.js';

/** Maps are written as `{"$map": [[key, value], …]}`, so that they come back in their order. */
function replacer(_key: string, value: unknown): unknown {
  return value instanceof Map ? { $map: [...value] } : value;
}

function reviver(_key: string, value: unknown): unknown {
  const isMap = typeof value === 'object' && value !== null && '$map' in value && Array.isArray(value.$map);
  return isMap ? new Map(value.$map as [unknown, unknown][]) : value;
}

/** The state of an earlier run, or an empty one. */
export function loadState(file: string | null): GitLabState {
  if (file === null || !existsSync(file)) return createState();
  return { ...createState(), ...(JSON.parse(readFileSync(file, 'utf8'), reviver) as Partial<GitLabState>) };
}

/** Written beside and renamed, so that a crash leaves the old one whole. Readable for the owner alone: it holds tokens. */
export function saveState(file: string, state: GitLabState): void {
  writeFileSync(`${file}.new`, JSON.stringify(state, replacer), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
