import type { Application } from '../../application/application.js';
import { incarnationOf, isOurs } from '../../application/file.js';
import { revisionOf } from '../../application/revision.js';
import { identityProblems, parseApplication } from '../../application/validate.js';
import { isAppError } from '../../error/app-error.js';
import { applyEdit, type BranchFact } from '../../preview/branch.js';
import type { DecisionEvent } from '../../preview/decision.js';
import { eventsBetween } from '../../preview/events.js';
import { hasFile } from '../../preview/lifecycle.js';
import type { Instant, Preview } from '../../preview/preview.js';

/** A file of the branch, parsed; `foreign`: not an Application of this installation, and why. */
export type ParsedFile =
  | { kind: 'ours'; application: Application; incarnation: number; revision: string }
  | { kind: 'foreign'; why: string };

/** A row as it is stored, with what the branch has of it. */
export interface FileRow {
  preview: Preview;
  needsCommit: boolean;
  committedBlob: string | null;
  committedGeneration: number | null;
  editedBlob: string | null;
}

export interface ReadFileInput {
  slug: string;
  /** What stands in the branch; null: nothing. */
  found: { blob: string; file: ParsedFile } | null;
  /** Who changed it last. */
  by: string;
  row: FileRow | null;
  /** What was about to be written for that row. */
  writes: ReadonlyArray<{ blob: string | null; generation: number }>;
  /** History was rewritten: what the branch lacks or holds is nobody's wish, the row is projected onto it. */
  isRewritten: boolean;
  now: Instant;
}

/** What follows from one file; see the store's `FileEffect`. */
export interface ReadFileResult {
  slug: string;
  row: (FileRow & { events: DecisionEvent[]; commitAfterMs: number | null }) | null;
  wish: { subject: string; kind: 'start' | 'stop'; by: string } | null;
  foreignBlob: string | null;
}

/** How long a file that came back is left alone, so that decide can take it in before it is removed again. */
const returnMs = 5_000;

type RowChange = Partial<FileRow> & { commitAfterMs?: number };

/** Parses what stands in a file, which anyone may have written. */
export function parseFile(text: string, installation: string): ParsedFile {
  try {
    const application = parseApplication(text);
    const incarnation = incarnationOf(application);
    if (!isOurs(application, installation) || incarnation === null) {
      return { kind: 'foreign', why: 'it does not carry this installation and an incarnation' };
    }
    return { kind: 'ours', application, incarnation, revision: revisionOf(application) };
  } catch (error) {
    if (isAppError(error)) return { kind: 'foreign', why: error.publicMessage };
    throw error;
  }
}

/** What one file of the branch says, against what was last written for its row. Pure. */
export function readFile(input: ReadFileInput): ReadFileResult {
  const { row, found } = input;
  if (row === null) return nothing(input, found?.blob ?? null);
  const own = ownUnsavedWrite(input, row);
  if (own !== null) return changed(input, row, { committedBlob: own.blob, committedGeneration: own.generation });
  if (input.isRewritten) return project(input, row);
  if (found === null) return readAbsence(input, row);
  if (found.blob === row.editedBlob) return nothing(input);
  if (found.blob === row.committedBlob) return readRestoration(input, row, found.file);
  if (row.preview.phase === 'stopped' || row.committedBlob === null) return readReturn(input, row, found);
  return readEdit(input, row, found);
}

/** Our own push whose answer was lost: it was recorded before, with a generation above the last that is known. */
function ownUnsavedWrite(input: ReadFileInput, row: FileRow) {
  const blob = input.found?.blob ?? null;
  const write = input.writes.find(
    (each) => each.blob === blob && each.generation > (row.committedGeneration ?? 0) && blob !== row.committedBlob,
  );
  return write ?? null;
}

function readAbsence(input: ReadFileInput, row: FileRow): ReadFileResult {
  if (row.committedBlob === null) return nothing(input);
  const gone = { committedBlob: null, editedBlob: null, needsCommit: false };
  const wish = { subject: row.preview.subject, kind: 'stop', by: input.by } as const;
  const isWanted = row.preview.phase !== 'stopping' && row.preview.phase !== 'stopped';
  return { ...changed(input, row, gone), wish: isWanted ? wish : null };
}

/** The file is as Mayfly wrote it; a person's edit of before was taken back. */
function readRestoration(input: ReadFileInput, row: FileRow, file: ParsedFile): ReadFileResult {
  if (row.preview.edited === null && row.editedBlob === null) return nothing(input);
  const wasEdited = row.preview.edited === 'edited' && file.kind === 'ours';
  const fact: BranchFact | null = wasEdited
    ? { kind: 'edited', revision: file.revision, by: input.by, at: input.now }
    : null;
  const preview = { ...applyEdit(row.preview, fact, input.now), edited: null };
  return changed(input, { ...row, preview }, { editedBlob: null }, row.preview);
}

/** A file stands where none was: it came back, or it is a stranger's. */
function readReturn(input: ReadFileInput, row: FileRow, found: { blob: string; file: ParsedFile }): ReadFileResult {
  const { file, blob } = found;
  const { preview } = row;
  const isReturn = file.kind === 'ours' && identityProblems(file.application, identity(preview)).length === 0;
  if (!isReturn) return nothing(input, blob);
  if (preview.phase === 'stopping' || preview.phase === 'stopped') {
    if (file.incarnation !== preview.incarnation) return changed(input, row, { needsCommit: true });
    const back = { committedBlob: blob, needsCommit: true, commitAfterMs: returnMs };
    return { ...changed(input, row, back), wish: { subject: preview.subject, kind: 'start', by: input.by } };
  }
  // Left over of an earlier incarnation: this one's file will take its place, or its absence.
  return changed(input, row, { needsCommit: true });
}

function readEdit(input: ReadFileInput, row: FileRow, found: { blob: string; file: ParsedFile }): ReadFileResult {
  const { preview } = row;
  // What is to go is not worth an edit, and a newer wish is about to be written over it.
  if (!hasFile(preview.phase) || isAboutToBeWritten(input, row)) return nothing(input);
  const refusal = refusalOf(found.file, preview);
  const at = input.now;
  const fact: BranchFact =
    refusal === null && found.file.kind === 'ours'
      ? { kind: 'edited', revision: found.file.revision, by: input.by, at }
      : { kind: 'refused', by: input.by, at, detail: refusal ?? '' };
  const after = { ...row, preview: applyEdit(preview, fact, input.now) };
  const result = changed(input, after, { editedBlob: found.blob, needsCommit: false }, preview);
  if (refusal === null || result.row === null) return result;
  const events = result.row.events.map((event) => ({ ...event, detail: refusal }));
  return { ...result, row: { ...result.row, events } };
}

/** Something new is wanted: not rendered yet, or rendered for a push that lost its race. */
function isAboutToBeWritten(input: ReadFileInput, row: FileRow): boolean {
  const isBegun = input.writes.some(
    (write) => write.blob !== null && write.generation > (row.committedGeneration ?? 0),
  );
  return row.needsCommit && (row.preview.wantedRevision === null || isBegun);
}

/** Why an edit may not be: whose the file is, and where it is deployed, is not for the branch to say. */
function refusalOf(file: ParsedFile, preview: Preview): string | null {
  if (file.kind === 'foreign') return file.why;
  if (file.incarnation !== preview.incarnation) return 'its incarnation was changed';
  const problems = identityProblems(file.application, identity(preview));
  return problems.length === 0 ? null : problems.join('; ');
}

/** The rewritten branch gets what the row wants; nothing is stopped for what it lacks. */
function project(input: ReadFileInput, row: FileRow): ReadFileResult {
  const { found } = input;
  const isAsKnown = found?.blob === (row.editedBlob ?? row.committedBlob ?? undefined);
  if (isAsKnown) return nothing(input);
  const isOurs = found === null || found.file.kind === 'ours';
  if (!isOurs && row.committedBlob === null) return nothing(input, found.blob);
  const lives = row.preview.phase !== 'stopped' && row.preview.phase !== 'waiting';
  if (!lives && found === null) return nothing(input);
  const preview = { ...row.preview, edited: null };
  const projected = { committedBlob: found?.blob ?? null, editedBlob: null, needsCommit: true };
  return changed(input, { ...row, preview }, projected, row.preview);
}

function nothing(input: ReadFileInput, foreignBlob: string | null = null): ReadFileResult {
  return { slug: input.slug, row: null, wish: null, foreignBlob };
}

function changed(input: ReadFileInput, row: FileRow, change: RowChange, before: Preview = row.preview): ReadFileResult {
  const { commitAfterMs = null, ...patch } = change;
  const events = eventsBetween(before, row.preview, input.by);
  return { slug: input.slug, row: { ...row, ...patch, events, commitAfterMs }, wish: null, foreignBlob: null };
}

function identity(preview: Preview) {
  return { name: preview.slug, cluster: preview.cluster, namespace: preview.namespace };
}
