import type { GitLabContext } from '../context.js';
import type { GitLabEvent } from '../event.js';
import { deploymentPayload } from '../payloads/deployment-payload.js';
import { mergeRequestPayload } from '../payloads/merge-request-payload.js';
import { emojiPayload, notePayload } from '../payloads/note-payload.js';
import { jobPayload, pipelinePayload } from '../payloads/pipeline-payload.js';
import { pushPayload } from '../payloads/push-payload.js';
import type { HookEvent } from './hook.js';

/** Which switch of a hook wants the event; null for what GitLab sends no webhook for. */
export function hookEventOf(event: GitLabEvent): HookEvent | null {
  switch (event.kind) {
    case 'merge_request':
      return 'merge_requests_events';
    case 'note':
      return event.note.internal ? 'confidential_note_events' : 'note_events';
    case 'push':
      return 'push_events';
    case 'pipeline':
      return 'pipeline_events';
    case 'job':
      return 'job_events';
    case 'emoji':
      return 'emoji_events';
    case 'deployment':
      return 'deployment_events';
    case 'environment':
      return null;
  }
}

/** The body and the name of the event; null for what GitLab sends no webhook for. */
export function eventPayload(ctx: GitLabContext, event: GitLabEvent): { header: string; payload: unknown } | null {
  switch (event.kind) {
    case 'merge_request':
      return { header: 'Merge Request Hook', payload: mergeRequestPayload(ctx, event) };
    case 'note': {
      const header = event.note.internal ? 'Confidential Note Hook' : 'Note Hook';
      return { header, payload: notePayload(ctx, event) };
    }
    case 'push':
      return { header: 'Push Hook', payload: pushPayload(ctx, event) };
    case 'pipeline':
      return { header: 'Pipeline Hook', payload: pipelinePayload(ctx, event) };
    case 'job':
      return { header: 'Job Hook', payload: jobPayload(ctx, event) };
    case 'emoji':
      return { header: 'Emoji Hook', payload: emojiPayload(ctx, event) };
    case 'deployment':
      return { header: 'Deployment Hook', payload: deploymentPayload(ctx, event) };
    case 'environment':
      return null;
  }
}
