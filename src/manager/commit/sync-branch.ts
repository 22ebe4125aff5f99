import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { BranchPublisher, BranchReader, BranchView, InstallationStore, ReadBackStore, RowStore } from './deps.js';
import { distinctFollowUps, type FollowUp } from './follow-up.js';
import {
  branchOwner,
  checkInstallation,
  type InstallationState,
  installationFile,
  installationFileName,
} from './installation.js';
import { generationOf, installationMessage } from './message.js';
import { type FileRow, parseFile, type ReadFileResult, readFile } from './read-file.js';
import { branchRefused } from './write-errors.js';

export interface SyncDeps<View extends BranchView> {
  branch: BranchReader<View> & BranchPublisher<View>;
  installation: InstallationStore;
  readBack: ReadBackStore;
  rows: Pick<RowStore, 'begin' | 'finish'>;
  /** Folder of applications in the branch, such as `apps`. */
  applications: string;
  log: Logger;
}

export type SyncResult<View> =
  /** The database knows the branch up to this view's head. */
  | { state: 'ready'; view: View }
  /** Nothing may be written; the reason is recorded. */
  | { state: 'blocked'; reason: string }
  /** Somebody was faster: look again. */
  | { state: 'again' };

type Changes = Awaited<ReturnType<BranchReader<BranchView>['changesSince']>>;

/**
 * Looks where the branch stands and takes in what people did to it since the last time. The database is read after
 * the fetch, so that it is never older than what it is compared with.
 */
export async function syncBranch<View extends BranchView>(
  deps: SyncDeps<View>,
  signal?: AbortSignal,
): Promise<SyncResult<View>> {
  const view = await deps.branch.look({ maxAgeMs: 0, ...(signal === undefined ? {} : { signal }) });
  const database = await deps.installation.load();
  const owner = branchOwner(view.head, view.installationFile);
  const isKnown = owner.kind === 'owned' && owner.id === database?.id;
  const changes =
    isKnown && database.branchHead !== view.head
      ? await deps.branch.changesSince(view, database.branchHead, signal)
      : null;
  const generation = changes === null ? null : await newestGeneration(deps, view, changes, database, signal);
  const verdict = checkInstallation(database, owner, generation);
  if (verdict.kind === 'blocked') {
    if (database?.blockedReason !== verdict.reason) await deps.installation.block(verdict.reason);
    deps.log.error({ head: view.head, reason: verdict.reason }, 'nothing is written to the branch');
    return { state: 'blocked', reason: verdict.reason };
  }
  if (database !== null && database.blockedReason !== null) await deps.installation.block(null);
  if (verdict.kind === 'begin') return begin(deps, view, database, signal);
  if (changes === null || database === null) return { state: 'ready', view };
  if (!changes.descends && !(await isStill(deps, view, database, signal))) return { state: 'again' };
  await takeIn(deps, view, changes, database);
  return { state: 'ready', view };
}

/** The newest generation that the branch's own commits name, as far back as it takes to find one. */
async function newestGeneration<View extends BranchView>(
  deps: SyncDeps<View>,
  view: View,
  changes: Changes,
  database: InstallationState | null,
  signal?: AbortSignal,
): Promise<number | null> {
  const generations = changes.commits.flatMap(({ message }) => generationOf(message) ?? []);
  if (generations.length > 0) return Math.max(...generations);
  // What lies at and before the last recorded head was compared when that was recorded.
  if (changes.descends && database !== null && database.branchHead !== null) return null;
  const own = await deps.branch.findCommit(view, ({ message }) => generationOf(message) !== null, signal);
  return own === null ? null : generationOf(own.message);
}

/** First start, or one that was cut off: the database has its id before the branch has. */
async function begin<View extends BranchView>(
  deps: SyncDeps<View>,
  view: View,
  database: InstallationState | null,
  signal?: AbortSignal,
): Promise<SyncResult<View>> {
  if (database === null || database.id === null) {
    await deps.installation.create(randomUUID());
    return { state: 'again' };
  }
  const { id, branchHead } = database;
  const generation = database.generation + 1;
  if ((await deps.rows.begin({ installation: id, generation, branchHead, rows: [] })) === null)
    return { state: 'again' };
  const files = [{ path: installationFileName, text: installationFile(id) }, ...folderKeeper(deps.applications, view)];
  const result = await deps.branch.publish(view, [{ files, message: installationMessage(id, generation) }], signal);
  if (result.outcome === 'refused') throw branchRefused(result.words);
  // What stood in the branch before is read back with the next look.
  return { state: 'again' };
}

/** The file that keeps the folder of applications, for Git knows no empty one; none when it is there. */
export function folderKeeper(applications: string, view: BranchView): Array<{ path: string; text: string }> {
  return view.files.has('.gitkeep') ? [] : [{ path: `${applications}/.gitkeep`, text: '' }];
}

/** Whether a head that does not continue the recorded one is really the branch's: not a look that came too late. */
async function isStill<View extends BranchView>(
  deps: SyncDeps<View>,
  view: View,
  database: InstallationState,
  signal?: AbortSignal,
): Promise<boolean> {
  const again = await deps.branch.look({ maxAgeMs: 0, ...(signal === undefined ? {} : { signal }) });
  const now = await deps.installation.load();
  return again.head === view.head && now?.branchHead === database.branchHead;
}

async function takeIn<View extends BranchView>(
  deps: SyncDeps<View>,
  view: View,
  changes: Changes,
  database: InstallationState,
): Promise<void> {
  const { head } = view;
  const { id } = database;
  if (head === null || id === null) return;
  const isRewritten = !changes.descends;
  const notice = isRewritten
    ? `The history of the branch was rewritten: ${head} does not continue ${database.branchHead}. Nothing was stopped; what is missing is written again.`
    : null;
  if (isRewritten) deps.log.warn({ head, before: database.branchHead }, 'the history of the branch was rewritten');
  const slugs = [...changes.files.keys()].flatMap((name) => slugOf(name) ?? []);
  await deps.readBack.readBack({
    slugs,
    all: isRewritten || changes.isWhole,
    head,
    notice,
    judge: async (known, now) => {
      const results: ReadFileResult[] = [];
      for (const each of known) {
        const name = `${each.slug}.yml`;
        const found = await foundIn(deps, view.files.get(name), each.row, id);
        const by = changes.files.get(name)?.by ?? 'someone';
        results.push(readFile({ ...each, found, by, isRewritten, now }));
      }
      for (const result of results) logResult(deps.log, result);
      return { results, followUps: distinctFollowUps(results.flatMap(followUpsOf)) };
    },
  });
}

/** Reads and parses only what is not known to be as it was. */
async function foundIn<View extends BranchView>(
  deps: SyncDeps<View>,
  blob: string | undefined,
  row: FileRow | null,
  installation: string,
) {
  if (blob === undefined) return null;
  const isKnown = row === null || (blob === row.committedBlob && row.preview.edited === null);
  const unread = { kind: 'foreign', why: 'it was not read' } as const;
  return { blob, file: isKnown ? unread : parseFile(await deps.branch.readText(blob), installation) };
}

function followUpsOf({ row, wish }: ReadFileResult): FollowUp[] {
  const followUps: FollowUp[] = [];
  if (wish !== null) followUps.push({ kind: 'decide', subject: wish.subject });
  if (row !== null) followUps.push({ kind: 'feedback', subject: row.preview.subject });
  if (row?.needsCommit === true) followUps.push({ kind: 'commit', subject: '' });
  return followUps;
}

function logResult(log: Logger, { slug, row, wish, foreignBlob }: ReadFileResult): void {
  if (wish !== null) log.info({ slug, wish: wish.kind, by: wish.by }, 'a person changed the branch');
  else if (row !== null)
    log.info({ slug, edited: row.preview.edited, phase: row.preview.phase }, 'a file was read back');
  else if (foreignBlob !== null) log.info({ slug }, 'a file of the branch is not of Mayfly');
}

/** Slug of a file's name; null for what can be no preview's file. */
function slugOf(name: string): string | null {
  return /^(?<slug>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.yml$/.exec(name)?.groups?.slug ?? null;
}
