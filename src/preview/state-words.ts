import type { Cause, StopReason, WaitingFor } from './preview.js';

/** `1st`, `2nd`, `3rd`, `11th`. */
function ordinal(place: number): string {
  const tens = place % 100;
  if (tens >= 11 && tens <= 13) return `${place}th`;
  return `${place}${['th', 'st', 'nd', 'rd'][place % 10] ?? 'th'}`;
}

export function waitingWords(waitingFor: WaitingFor | null, line: { place: number; length: number } | null): string {
  switch (waitingFor) {
    case 'pipeline':
      return 'its pipeline';
    case 'image':
      return 'its image';
    case 'approval':
      return 'the approval of a member';
    case 'slot':
      return line === null ? 'a free place' : `a free place (${ordinal(line.place)} of ${line.length} in line)`;
    case 'project':
      return 'a project of its group that GitLab has not shown yet';
    case null:
      return 'its turn';
    default:
      return waitingFor satisfies never;
  }
}

interface FailureWords {
  what: string;
  /** For the author, unless it names somebody else. */
  toDo: string;
}

/** Instead of a cause's own advice, where no push mends it. */
const operatorToDo =
  'This is for an operator; the reason above says what to change. It is then tried again by itself, without a push.';

const failureWords: Readonly<Record<Cause, FailureWords>> = {
  template: {
    what: 'The Application could not be rendered from its template.',
    toDo: 'Whoever keeps the template or the configuration of the project corrects it; that change renders it again.',
  },
  push: {
    what: 'The environments repository refused the file.',
    toDo: 'Whoever administers that repository corrects its push rules or hooks; the next commit of this merge request tries again.',
  },
  fence: {
    what: 'The manifests ask for something that a preview may not have.',
    toDo: 'Take it out of the manifests and push.',
  },
  source: {
    what: 'The manifests could not be fetched or read.',
    toDo: 'Correct what the reason names and push; the source and its path stand in the configuration of the project.',
  },
  apply: {
    what: 'The cluster refused an object.',
    toDo: 'Correct the manifest and push; a quota, or a right that is missing, is for an operator.',
  },
  health: { what: 'It runs, but not well.', toDo: 'Correct what the reason and the logs name, and push.' },
  timeout: {
    what: 'It did not become healthy in time.',
    toDo: 'Correct what is missing and push. It turns ready by itself if it gets healthy after all.',
  },
};

/** What failed, in a sentence. `mender` as in `adviceOf`: what an operator has to mend is no object that was refused. */
export function reasonOf(cause: Cause | null, mender: 'operator' | undefined): string {
  if (cause === null) return 'It failed.';
  return cause === 'apply' && mender === 'operator' ? 'The agent could not deploy it.' : failureWords[cause].what;
}

/** What the right person does about a failure. `mender`: who the agent says must act; null: nothing is known. */
export function adviceOf(cause: Cause | null, mender: 'operator' | undefined): string | null {
  if (cause === null) return null;
  // These two fail in the manager: what an agent said before is not about them.
  const isAgents = cause !== 'template' && cause !== 'push';
  return isAgents && mender === 'operator' ? operatorToDo : failureWords[cause].toDo;
}

interface StopWords {
  why: string;
  /** How to bring it back. */
  back: string;
}

export const stopWords: Readonly<Record<StopReason, StopWords>> = {
  merged: { why: 'the merge request was merged', back: '' },
  closed: { why: 'the merge request was closed', back: 'Reopen it to bring the preview back.' },
  expired: {
    why: 'nobody used it for its time to live',
    back: 'Push, or write `/preview start`, to bring it back.',
  },
  command: { why: 'it was stopped by `/preview stop`', back: 'Write `/preview start` to bring it back.' },
  operator: { why: 'an operator stopped it', back: 'Write `/preview start` to bring it back.' },
  git: {
    why: 'its file was removed from the environments repository',
    back: 'Write `/preview start`, or put the file back, to bring it back.',
  },
  label: { why: 'of the labels of the merge request', back: 'It comes back once its labels let it.' },
  unfollowed: {
    why: 'the configuration does not follow this merge request any more',
    back: 'It comes back when the configuration follows it again.',
  },
};
