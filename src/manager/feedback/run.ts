import type { Logger } from 'pino';
import { AppError, isAppError } from '../../error/app-error.js';
import type { Policy } from '../../preview/policy.js';
import type { Instant } from '../../preview/preview.js';
import { absentAnswers, renderAbsentNote, whyNone } from './absent-note.js';
import { answersOf } from './answer-words.js';
import { renderNote } from './note.js';
import type { Projection } from './projection.js';
import { type ReplyKind, replyKinds, wantedReply } from './replies.js';
import { type MergeRequestKey, type NoteDeps, type NoteState, syncNote } from './sync-note.js';
import { type ReplyDeps, syncReply } from './sync-reply.js';
import { type StatusDeps, type StatusSettings, syncStatus } from './sync-status.js';
import type { AbsentView, FeedbackView, ForkGets } from './view.js';

export interface FeedbackSettings {
  note: boolean;
  commitStatus: StatusSettings;
  /** Whether the note shows log lines. */
  logs: boolean;
  /** Absent: nothing. */
  forkGets?: ForkGets;
}

/** One reading of the row and of what was told. */
interface FeedbackState {
  view: FeedbackView;
  note: Projection;
  status: Projection;
  replies: Readonly<Record<ReplyKind, Projection>>;
  /** PostgreSQL's clock. */
  now: Instant;
}

/** The same of a merge request that never had a preview. */
interface AbsentState {
  absent: AbsentView;
  note: Projection;
  now: Instant;
}

export interface FeedbackDeps {
  gitlab: NoteDeps['gitlab'] & StatusDeps['gitlab'] & ReplyDeps['gitlab'];
  store: NoteDeps['store'] &
    StatusDeps['store'] & {
      /** null: the merge request never had a preview. */
      load: (input: { projectId: number; iid: number }) => Promise<FeedbackState | null>;
      /** Of one that never had a preview; null: nobody wrote a command there. Absent: nothing is told there. */
      loadAbsent?: (input: { projectId: number; iid: number }) => Promise<AbsentState | null>;
    };
  /** Of the preview's project, by its name in the configuration; null: the project is configured no more. */
  settingsOf: (project: string) => FeedbackSettings | null;
  /** By what a merge request of a project gets a preview, and the project's name; null, or absent: by nothing. */
  policyOf?: (projectId: number) => { name: string; policy: Policy } | null;
  /** `lifetime.max` of a project or group by its name, in milliseconds; null: it is configured no more. */
  longestLifeOf: (project: string) => number | null;
  /** The page on which visitors wake a preview. Absent: there is none. */
  wakeUrlOf?: (slug: string) => string;
  log: Logger;
}

/** What is told when the configuration does not know the project any more: how its preview ends. */
const defaultSettings: FeedbackSettings = {
  note: true,
  commitStatus: { name: 'mayfly/preview', blocking: false },
  logs: false,
};

/** Turns after which somebody else is left to finish. */
const maxTurns = 4;

/**
 * The job `feedback` of one merge request: makes its note, the replies to it and its commit status say what the row
 * says. Running it again writes nothing. None waits for another's success.
 * Errors: GitLab's; `note-creation-open`; `feedback-contended` when others kept writing at the same time.
 */
export async function runFeedback(deps: FeedbackDeps, input: MergeRequestKey & { settleMs?: number }): Promise<void> {
  const key = { projectId: input.projectId, iid: input.iid };
  await untilWritten(key, async () => {
    const loaded = await deps.store.load(key);
    if (loaded === null) return tellAbsence(deps, input);
    const settings = deps.settingsOf(loaded.view.linked?.own ?? loaded.view.preview.project) ?? defaultSettings;
    const shown = withWakeUrl(deps, settings.logs ? loaded.view : withoutLogs(loaded.view));
    const { forkGets } = settings;
    const told = { ...shown, ...(forkGets === undefined ? {} : { forkGets }), answers: answersIn(deps, input, loaded) };
    const state = { ...loaded, view: told };
    const results = await Promise.allSettled([
      settings.note ? syncNote(deps, { ...input, state: noteState(state) }) : true,
      syncStatus(deps, { ...input, state, settings: settings.commitStatus }),
      ...(settings.note ? replyKinds.map((kind) => syncReplyOf(deps, kind, { ...input, state })) : []),
    ]);
    throwWorst(deps.log, input, results);
    return results.every((result) => result.status === 'fulfilled' && result.value);
  });
}

/** What is told to whoever wrote a command where no preview ever was; where nobody did, nothing. */
async function tellAbsence(deps: FeedbackDeps, input: MergeRequestKey & { settleMs?: number }): Promise<boolean> {
  const rule = deps.policyOf?.(input.projectId) ?? null;
  if (rule === null || deps.settingsOf(rule.name)?.note !== true) return true;
  const loaded = await deps.store.loadAbsent?.({ projectId: input.projectId, iid: input.iid });
  if (loaded == null) return true;
  const { absent, note, now } = loaded;
  const none = whyNone({ ...absent, policy: rule.policy, now });
  const body = renderAbsentNote(none, absentAnswers(absent.spoken, none));
  return syncNote(deps, { ...input, state: { body, begins: true, line: null, note, now } });
}

/** What those who wrote commands are answered in words. */
function answersIn(deps: FeedbackDeps, { projectId }: MergeRequestKey, { view, now }: FeedbackState) {
  const { facts, wishes = [], preview } = view;
  const rule = deps.policyOf?.(projectId) ?? null;
  const none = rule === null ? null : whyNone({ policy: rule.policy, facts, wishes, now });
  return answersOf(view, { none, maxMs: deps.longestLifeOf(preview.project) });
}

function noteState({ view, note, now }: FeedbackState): NoteState {
  const isOver = view.preview.phase === 'stopped' || view.preview.phase === 'stopping';
  // A preview that is over begins no conversation, but answers.
  return { body: renderNote(view), begins: !isOver || (view.answers ?? []).length > 0, line: view.line, note, now };
}

function syncReplyOf(
  deps: FeedbackDeps,
  kind: ReplyKind,
  input: MergeRequestKey & { state: FeedbackState; settleMs?: number },
): Promise<boolean> {
  const { view, note, replies, now } = input.state;
  const wanted = wantedReply(kind, view, deps.longestLifeOf(view.preview.project));
  return syncReply(deps, { ...input, kind, wanted, reply: replies[kind], noteId: note.externalId, now });
}

function withWakeUrl({ wakeUrlOf }: Pick<FeedbackDeps, 'wakeUrlOf'>, view: FeedbackView): FeedbackView {
  return wakeUrlOf === undefined ? view : { ...view, wakeUrl: wakeUrlOf(view.preview.slug) };
}

/** Where the note does not show log lines, it says where they are. */
function withoutLogs(view: FeedbackView): FeedbackView {
  const { diagnosis } = view;
  if (diagnosis === null || diagnosis.logs === undefined || diagnosis.logs.length === 0) return view;
  return { ...view, diagnosis: { ...diagnosis, logs: [], logsWithheld: true } };
}

async function untilWritten(key: { projectId: number; iid: number }, turn: () => Promise<boolean>): Promise<void> {
  for (let count = 0; count < maxTurns; count += 1) {
    if (await turn()) return;
  }
  throw new AppError({
    code: 'feedback-contended',
    disposition: 'retry',
    publicMessage: `The note of merge request !${key.iid} is being written by another manager. It is tried again soon.`,
    data: key,
  });
}

/** What may still succeed is thrown, so that it is tried again; what never will is logged beside it. */
function throwWorst(log: Logger, key: MergeRequestKey, results: PromiseSettledResult<boolean>[]): void {
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const [worst, ...others] = errors.sort((a, b) => urgency(b) - urgency(a));
  for (const error of others) {
    log.warn({ err: error, projectId: key.projectId, iid: key.iid }, 'feedback failed');
  }
  if (worst !== undefined) throw worst;
}

function urgency(error: unknown): number {
  if (!isAppError(error)) return 3;
  return { retry: 2, wait: 1, stall: 0 }[error.disposition];
}
