import type { Logger } from 'pino';
import type { Instant } from '../preview/preview.js';

/** What is wrong with the way to GitLab, in a sentence for an operator, and since when. */
export interface GitLabTrouble {
  text: string;
  since: Instant;
}

export interface GitLabAccess {
  /** Takes in how one request was answered. Never throws. */
  observe(request: { status: number }): void;
  /** null: the token was accepted when it was last used, or was not used yet. */
  trouble(): GitLabTrouble | null;
  /** What is called each time the token is refused or accepted again; what it throws is logged. */
  onChange(listener: (refused: boolean) => void | Promise<void>): void;
}

const refusedText =
  'GitLab does not accept the token of Mayfly any more (401): it expired or was revoked. Nothing new is seen, told or stopped until it is. Set `gitlab.token` to a valid one with the scope api and start the manager again.';

/**
 * Notices that GitLab refuses the token itself, which concerns every preview and is the fault of none. Other refusals
 * are of one request, and stay with it.
 */
export function watchGitLabAccess(deps: { log: Logger; clock?: () => Instant }): GitLabAccess {
  const { log, clock = Date.now } = deps;
  const listeners: ((refused: boolean) => void | Promise<void>)[] = [];
  let refusedSince: Instant | null = null;

  async function tell(refused: boolean): Promise<void> {
    for (const listener of listeners) {
      try {
        await listener(refused);
      } catch (error) {
        log.warn({ err: error, refused }, 'a change of the access to GitLab was not followed');
      }
    }
  }

  return {
    observe({ status }) {
      if (status === 401 && refusedSince === null) {
        refusedSince = clock();
        log.error({ what: refusedText }, 'GitLab refuses the token');
        void tell(true);
      } else if (status >= 200 && status < 300 && refusedSince !== null) {
        log.info({ refusedMs: clock() - refusedSince }, 'GitLab accepts the token again');
        refusedSince = null;
        void tell(false);
      }
    },
    trouble: () => (refusedSince === null ? null : { text: refusedText, since: refusedSince }),
    onChange(listener) {
      listeners.push(listener);
    },
  };
}
