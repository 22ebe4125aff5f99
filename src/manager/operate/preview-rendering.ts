import { incarnationOf, isOurs } from '../../application/file.js';
import { revisionOf } from '../../application/revision.js';
import { parseApplication } from '../../application/validate.js';
import { AppError, isAppError } from '../../error/app-error.js';
import type { MergeRequestFacts } from '../../preview/facts.js';
import type { Preview } from '../../preview/preview.js';

/** The branch at one moment: blobs by file name. */
interface BranchFiles {
  files: ReadonlyMap<string, string>;
  templates: ReadonlyMap<string, string>;
}

/** A template and values that are tried in place of those that hold. */
export interface Trial {
  template: string | null;
  values: Record<string, unknown>;
}

export interface RenderingDeps {
  /** Random id of the installation; null: nothing was ever written. */
  installation(): Promise<string | null>;
  branch(signal: AbortSignal): Promise<BranchFiles>;
  readText(blob: string): Promise<string>;
  render(request: {
    installation: string;
    preview: Preview;
    facts: MergeRequestFacts;
    templates: ReadonlyMap<string, string>;
    trial?: Trial;
  }): Promise<{ text: string; revision: string; url: string | null }>;
}

/** A preview whose file is asked for, and what GitLab last said of its merge request. */
export interface Subject {
  preview: Preview;
  facts: MergeRequestFacts;
}

/** What would be committed for one preview. */
export interface Rendering {
  slug: string;
  incarnation: number;
  text: string;
  revision: string;
  url: string | null;
  /** What stands in the branch now; null: nothing. */
  current: string | null;
  /** `same`: it asks for the same, so that no commit would be made. `edited`: a person's edit stands in its place. */
  outcome: 'new' | 'same' | 'differs' | 'edited';
}

/** The file of one preview as it would be written now. Changes nothing. Errors: those of the template. */
export async function renderPreview(
  deps: RenderingDeps,
  input: Subject & { trial?: Trial },
  signal: AbortSignal,
): Promise<Rendering> {
  const branch = await deps.branch(signal);
  // Before the first start has written the branch, the file is shown without whose it will be.
  const installation = (await deps.installation()) ?? '00000000-0000-0000-0000-000000000000';
  return renderOne(deps, { ...input, branch, installation });
}

export interface StaleOutcome {
  slug: string;
  outcome: Rendering['outcome'] | 'fails';
  /** Why the template gives no file; null: it does. */
  reason: string | null;
}

export interface StaleDeps extends RenderingDeps {
  /** Previews that were made with something else than what holds now, in the order of their slugs. */
  listStale(input: { after: string; limit: number }): Promise<{ preview: Preview; facts: MergeRequestFacts | null }[]>;
}

const pageSize = 100;
const mostListed = 2_000;

/** What the sweep would render again, and what would come of it. Changes nothing. `more`: there are others. */
export async function rehearseSweep(
  deps: StaleDeps,
  signal: AbortSignal,
): Promise<{ previews: StaleOutcome[]; more: boolean }> {
  const branch = await deps.branch(signal);
  const installation = await deps.installation();
  const previews: StaleOutcome[] = [];
  for (;;) {
    const page = await deps.listStale({ after: previews.at(-1)?.slug ?? '', limit: pageSize });
    for (const { preview, facts } of page) {
      signal.throwIfAborted();
      if (facts === null || installation === null) continue;
      previews.push(await rehearseOne(deps, { preview, facts, branch, installation }));
    }
    if (page.length < pageSize) return { previews, more: false };
    if (previews.length >= mostListed) return { previews, more: true };
  }
}

interface RenderOne extends Subject {
  trial?: Trial;
  branch: BranchFiles;
  installation: string;
}

async function rehearseOne(deps: RenderingDeps, input: RenderOne): Promise<StaleOutcome> {
  const { slug } = input.preview;
  try {
    const { outcome } = await renderOne(deps, input);
    return { slug, outcome, reason: null };
  } catch (error) {
    if (!isAppError(error) || error.disposition !== 'stall') throw error;
    return { slug, outcome: 'fails', reason: error.publicMessage };
  }
}

async function renderOne(deps: RenderingDeps, input: RenderOne): Promise<Rendering> {
  const { preview, facts, branch, installation, trial } = input;
  const { slug, incarnation } = preview;
  const request = { installation, preview, facts, templates: branch.templates };
  const file = await deps.render(trial === undefined ? request : { ...request, trial });
  const blob = branch.files.get(`${slug}.yml`);
  const current = blob === undefined ? null : await deps.readText(blob);
  const isSame = current !== null && asksForTheSame(current, { installation, incarnation, revision: file.revision });
  const outcome = current === null ? 'new' : isSame ? 'same' : preview.edited === null ? 'differs' : 'edited';
  return { slug, incarnation, ...file, current, outcome };
}

function asksForTheSame(text: string, file: { installation: string; incarnation: number; revision: string }): boolean {
  try {
    const application = parseApplication(text);
    const isOwn = isOurs(application, file.installation) && incarnationOf(application) === file.incarnation;
    return isOwn && revisionOf(application) === file.revision;
  } catch (error) {
    // A person's file that cannot be read is another one, whatever is in it.
    if (error instanceof AppError) return false;
    throw error;
  }
}
