import { type FeedbackView, ownMember } from './view.js';

/** A commit status as it should stand at GitLab. */
export interface WantedStatus {
  sha: string;
  state: 'running' | 'success' | 'failed';
  description: string;
  /** null: it leads nowhere. */
  targetUrl: string | null;
}

/** What was last posted for this merge request; null: nothing. */
export interface PostedStatus {
  sha: string;
  state: string;
  name: string;
}

/**
 * The status that a preview's row asks for; null: none. Where it must not stand in the way of a merge, only success
 * is ever posted; a failure is told by the note. Where it may, a merge that waits for it is let go when the preview
 * stops. Pure.
 */
export function wantedStatus(view: FeedbackView, blocking: boolean, posted: PostedStatus | null): WantedStatus | null {
  const { preview } = view;
  const member = ownMember(view);
  const wantedSha = member?.wantedSha ?? null;
  const deployedSha = member?.deployedSha ?? null;
  if (member === undefined) return released(blocking, posted);
  switch (preview.phase) {
    case 'ready':
      return deployedSha === null ? null : status(deployedSha, 'success', 'Preview ready', preview.url);
    case 'deploying':
      // Rendered means that its commit is being pushed or was.
      return blocking && wantedSha !== null && preview.wantedRevision !== null
        ? status(wantedSha, 'running', 'Preview deploying', preview.url)
        : null;
    case 'failed':
      return blocking && wantedSha !== null ? status(wantedSha, 'failed', failedText(view), null) : null;
    case 'stopping':
    case 'stopped':
      return released(blocking, posted);
    case 'waiting':
    case 'asleep':
      return null;
    default:
      return preview.phase satisfies never;
  }
}

/** A merge that waits for it is let go. */
function released(blocking: boolean, posted: PostedStatus | null): WantedStatus | null {
  return blocking && posted?.state === 'running' ? status(posted.sha, 'success', 'stopped', null) : null;
}

function failedText({ preview }: FeedbackView): string {
  return preview.cause === null ? 'Preview failed' : `Preview failed: ${preview.cause}`;
}

function status(
  sha: string,
  state: WantedStatus['state'],
  description: string,
  targetUrl: string | null,
): WantedStatus {
  return { sha, state, description, targetUrl };
}
