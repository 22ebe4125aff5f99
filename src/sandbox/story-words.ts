/** A step of a preview's life, as its history has it. */
export interface StoryEvent {
  incarnation: number;
  kind: string;
  actor: string | null;
  detail: string | null;
  /** Where the preview can be opened; null: nowhere, or its row is gone. */
  url: string | null;
}

const reasons: Readonly<Record<string, string>> = {
  merged: 'the merge request was merged',
  closed: 'the merge request was closed',
  expired: 'nobody used it for its time to live',
  command: '/preview stop',
  operator: 'an operator asked for it',
  git: 'its file was removed from the branch',
  label: 'the labels of the merge request say so',
  unfollowed: 'the configuration does not follow the merge request',
};

const waits: Readonly<Record<string, string>> = {
  pipeline: 'its pipeline',
  image: 'its image',
  approval: 'the approval of a member',
  slot: 'a free place',
  project: 'a project that GitLab has not shown yet',
};

const naps: Readonly<Record<string, string>> = {
  idle: ': nobody used it for a while',
  schedule: ': these are not its hours',
};

type Words = (event: StoryEvent) => string | null;

const words: Readonly<Record<string, Words>> = {
  created: ({ incarnation }) => (incarnation === 1 ? 'begins' : `begins again, life ${incarnation}`),
  waiting: ({ detail }) => `waits for ${waits[detail ?? ''] ?? 'its turn'}`,
  next: ({ detail }) => {
    const [sha = '', waitingFor = ''] = (detail ?? '').split(' ');
    return sha === '' ? null : `commit ${short(sha)} waits for ${waits[waitingFor] ?? 'its turn'}`;
  },
  deploying: ({ detail }) => `deploys ${short(detail ?? '')}`.trimEnd(),
  committed: ({ detail }) => {
    const [, what = '', commit = ''] = /^(\w*).* in ([0-9a-f]+)$/.exec(detail ?? '') ?? [];
    return `${what === 'remove' ? 'leaves' : 'is in'} the branch, commit ${short(commit)}`;
  },
  ready: ({ detail, url }) => ['is ready', short(detail ?? ''), url ?? ''].filter((part) => part !== '').join('  '),
  failed: ({ detail }) => `failed: ${detail ?? 'no reason is known'}`,
  asleep: ({ detail, actor }) => `sleeps${naps[detail ?? ''] ?? ''}${by(actor)}`,
  awake: ({ actor, detail }) => `wakes${by(actor)}, and deploys ${short(detail ?? '')}`.trimEnd(),
  stopping: ({ detail, actor }) => `stops: ${reasons[detail ?? ''] ?? 'no reason is known'}${by(actor)}`,
  stopped: () => 'is gone',
  'stop-undone': ({ actor }) => `does not stop after all${by(actor)}`,
  'stop-reason': ({ detail, actor }) => `stops for another reason: ${reasons[detail ?? ''] ?? detail}${by(actor)}`,
  'stop-held': ({ detail }) =>
    `would stop (${reasons[detail ?? ''] ?? detail}), but too many would at once: see mayfly breaker show`,
  'stop-released': () => 'is not held back any more',
  unknown: () => 'stays as it is: GitLab does not say whether its merge request still lives',
  known: () => 'is known to GitLab again',
  edited: ({ actor }) => `has a file that was edited in the branch${by(actor)}`,
  'edit-refused': ({ actor }) => `has a file that was edited where it must not be${by(actor)}`,
  'deletion-accepted': ({ actor }) => `may be deleted${by(actor)}`,
};

/** What happened, as the rest of a sentence that begins with the preview's name; null: nothing worth a line. */
export function storyWords(event: StoryEvent): string | null {
  const say = words[event.kind];
  return say === undefined ? [event.kind, event.detail ?? ''].join(' ').trim() : say(event);
}

function by(actor: string | null): string {
  return actor === null ? '' : `, by ${actor}`;
}

/** The first of several, as people write it. */
function short(shas: string): string {
  return /^[0-9a-f]{12,40}/.test(shas) ? shas.slice(0, 8) : shas;
}
