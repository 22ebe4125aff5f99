import type { Logger } from 'pino';
import type { GitLabEvent } from './event.js';
import type { HookEvent } from './hooks/hook.js';
import type { Project } from './model.js';
import type { Repository } from './repository/repository.js';
import type { GitLabIndex, GitLabState } from './state.js';

/** What every action and route of the stand-in works with. */
export interface GitLabContext {
  state: GitLabState;
  index: GitLabIndex;
  /** Epoch milliseconds. */
  clock: () => number;
  /** Base of every link, without a slash at the end. */
  publicUrl: () => string;
  /** Base of the Git HTTP server, without a slash at the end. */
  gitUrl: () => string;
  repository: (project: Project) => Repository;
  /** Tells webhooks and open pages of a change that is already in the state. */
  emit: (event: GitLabEvent) => void;
  /** Whether a webhook of the project wants such events; saves work for nobody. */
  hears: (project: Project, event: HookEvent) => boolean;
  /** One run at a time for each key, in the order of the calls. */
  exclusive: <T>(key: string, run: () => Promise<T>) => Promise<T>;
  /** Runs after a delay, unless the stand-in is closed first. */
  later: (delayMs: number, run: () => void) => void;
  log: Logger | null;
}
