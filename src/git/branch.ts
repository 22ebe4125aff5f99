import { isAppError } from '../error/app-error.js';
import { buildCommits, type CommitPlan, readTreeBase, type TreeBase } from './build-commit.js';
import { type CommitInfo, createObject, parseTree, type TreeEntry } from './git-object.js';
import type { Mirror } from './mirror.js';
import { pushCommits } from './push.js';

export interface BranchOptions {
  mirror: Mirror;
  /** Name of the branch. */
  name: string;
  /** Folders, such as `apps` and `templates`. */
  applications: string;
  templates: string;
  author: { name: string; email: string };
  /** Milliseconds since the epoch; default: this machine's clock. */
  now?: () => number;
}

/** The branch as it was at one moment. */
interface BranchView {
  /** null: there is no such branch. */
  head: string | null;
  /** When it was asked for, in milliseconds since the epoch. */
  seenAt: number;
  /** Text of `mayfly.yml`; null when the branch has none. */
  installationFile: string | null;
  /** Blob of each file in the folder of applications, by file name. */
  files: ReadonlyMap<string, string>;
  /** Blob of each template, by file name. */
  templates: ReadonlyMap<string, string>;
}

/** How the branch came from one commit to another. */
interface BranchChanges {
  /** The earlier commit is in the history of the later: nothing was rewritten. */
  descends: boolean;
  /** The earlier state is not here any more, or there was none: every file is listed, and an absent one is not. */
  isWhole: boolean;
  /** Commits between, the newest first. */
  commits: CommitInfo[];
  /** Files of the folder of applications that differ, with who changed each last. */
  files: Map<string, { blob: string | null; by: string }>;
}

type PublishResult =
  | {
      outcome: 'published';
      /** The branch now; other people's commits may lie above `head` already. */
      view: BranchView;
      /** The last commit of this push; the head of before when no plan changed anything. */
      head: string | null;
      /** For each plan its commit; null: its files were so already. */
      commits: Array<string | null>;
    }
  /** The branch moved on: look again and build again. */
  | { outcome: 'raced' }
  /** The server refused, and its words; the branch is as it was. */
  | { outcome: 'refused'; words: string };

export interface Branch {
  /** The branch now, or as it was seen at most `maxAgeMs` ago. */
  look(options: { maxAgeMs: number; signal?: AbortSignal }): Promise<BranchView>;
  /** What changed since an earlier head; null as `from`: every file is new. */
  changesSince(view: BranchView, from: string | null, signal?: AbortSignal): Promise<BranchChanges>;
  /** The newest commit of the branch that `matches`, however old; null when there is none. */
  findCommit(
    view: BranchView,
    matches: (commit: CommitInfo) => boolean,
    signal?: AbortSignal,
  ): Promise<CommitInfo | null>;
  readText(blob: string): Promise<string>;
  /** Adds one commit for each plan that changes something, all in one push. After an unclear answer it looks first. */
  publish(view: BranchView, plans: readonly CommitPlan[], signal?: AbortSignal): Promise<PublishResult>;
  /** Name that Git gives to a file's content. */
  blobOf(text: string): string;
}

/** Commits whose trees are compared to find who changed a file; older changes are the oldest one's. */
const maxBlamed = 200;

const installationName = 'mayfly.yml';

interface Known extends BranchView {
  base: TreeBase;
}

/** The branch that applications live in, read through a mirror and written by compare-and-swap. */
export function openBranch(options: BranchOptions): Branch {
  const { mirror } = options;
  const now = options.now ?? Date.now;
  let newest: Known | null = null;

  async function look({ maxAgeMs, signal }: { maxAgeMs: number; signal?: AbortSignal }): Promise<Known> {
    if (newest !== null && maxAgeMs > 0 && now() - newest.seenAt <= maxAgeMs) return newest;
    const seenAt = now();
    const head = await mirror.fetchHead(options.name, signal);
    if (newest !== null && newest.head === head) newest = { ...newest, seenAt };
    else newest = await readView(options, head, seenAt);
    return newest;
  }

  async function publish(view: BranchView, plans: readonly CommitPlan[], signal?: AbortSignal): Promise<PublishResult> {
    const base = newest?.head === view.head ? newest.base : (await readView(options, view.head, view.seenAt)).base;
    const author = { ...options.author, atMs: now() };
    const built = buildCommits({ base, plans, author });
    const published = { outcome: 'published', head: built.head, commits: built.commits } as const;
    if (built.head === null || built.head === view.head) return { ...published, view };
    const push = { branch: options.name, expected: view.head, head: built.head, objects: built.pack };
    const result = await pushCommits(mirror.transport, signal === undefined ? push : { ...push, signal });
    if (result.outcome === 'pushed') {
      mirror.adopt(options.name, built.head, built.kept);
      newest = await viewAfter(options, { view, base: built.base, plans, seenAt: now() });
      return { ...published, view: newest };
    }
    newest = null;
    const after = await look(signal === undefined ? { maxAgeMs: 0 } : { maxAgeMs: 0, signal });
    if (await contains(mirror, after.head, built.head, signal)) return { ...published, view: after };
    if (after.head !== view.head || result.outcome === 'unclear') return { outcome: 'raced' };
    return { outcome: 'refused', words: result.words };
  }

  return {
    look,
    publish,
    changesSince: (view, from, signal) => changesSince(options, view, from, signal),
    findCommit: async (view, matches, signal) =>
      view.head === null ? null : mirror.history.find(view.head, matches, signal),
    readText: async (blob) => (await mirror.readBlob(blob)).toString('utf8'),
    blobOf,
  };
}

async function contains(mirror: Mirror, head: string | null, commit: string, signal?: AbortSignal): Promise<boolean> {
  if (head === null || head === commit) return head === commit;
  return mirror.isDescendant(head, commit, signal);
}

async function readView(options: BranchOptions, head: string | null, seenAt: number): Promise<Known> {
  const commit = head === null ? null : await options.mirror.readCommit(head);
  const base = await readTreeBase(options.mirror.readBlob, commit, [options.applications, options.templates]);
  return viewFrom(options, base, seenAt);
}

/** The view after a push of our own, from the one before: the folder of applications is not parsed again. */
async function viewAfter(
  options: BranchOptions,
  done: { view: BranchView; base: TreeBase; plans: readonly CommitPlan[]; seenAt: number },
): Promise<Known> {
  const files = new Map(done.view.files);
  let { installationFile } = done.view;
  const folder = `${options.applications}/`;
  for (const file of done.plans.flatMap((plan) => plan.files)) {
    const name = file.path.startsWith(folder) ? file.path.slice(folder.length) : null;
    // Only what Mayfly writes is known here; anything else is read as it is.
    if (file.path === installationName) installationFile = file.text;
    else if (name === null) return viewFrom(options, done.base, done.seenAt);
    else if (file.text === null) files.delete(name);
    else files.set(name, blobOf(file.text));
  }
  const { templates } = done.view;
  return { head: done.base.commit, seenAt: done.seenAt, base: done.base, installationFile, files, templates };
}

async function viewFrom(options: BranchOptions, base: TreeBase, seenAt: number): Promise<Known> {
  const blobsOf = (path: string) => {
    const content = base.folders.get(path)?.content;
    return content === undefined ? new Map<string, string>() : blobMap(parseTree(content));
  };
  const installation = blobsOf('').get(installationName);
  return {
    head: base.commit,
    seenAt,
    base,
    installationFile:
      installation === undefined ? null : (await options.mirror.readBlob(installation)).toString('utf8'),
    files: blobsOf(options.applications),
    templates: blobsOf(options.templates),
  };
}

function blobOf(text: string): string {
  return createObject('blob', Buffer.from(text, 'utf8')).oid;
}

function blobMap(entries: readonly TreeEntry[]): Map<string, string> {
  return new Map(entries.filter((entry) => entry.type === 'blob').map((entry) => [entry.name, entry.oid]));
}

async function changesSince(
  options: BranchOptions,
  view: BranchView,
  from: string | null,
  signal?: AbortSignal,
): Promise<BranchChanges> {
  if (view.head === null || view.head === from) {
    return { descends: view.head === from, isWhole: false, commits: [], files: new Map() };
  }
  const head = await options.mirror.readCommit(view.head);
  const ancestry =
    from === null ? { descends: true, commits: [head] } : await options.mirror.history.since(view.head, from, signal);
  const before = from === null ? null : await filesAt(options, from);
  const changed = new Set([...view.files.keys(), ...(before?.keys() ?? [])]);
  for (const name of changed) if (before?.get(name) === view.files.get(name)) changed.delete(name);
  const by = await blame(options, ancestry.commits.slice(0, maxBlamed), changed);
  const files = new Map(
    Array.from(changed, (name) => [name, { blob: view.files.get(name) ?? null, by: by.get(name) ?? head.author.name }]),
  );
  return { ...ancestry, isWhole: before === null, files };
}

/** Author of the newest commit that changed each file, against the first parent. */
async function blame(
  options: BranchOptions,
  commits: readonly CommitInfo[],
  names: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const by = new Map<string, string>();
  for (const commit of commits) {
    if (by.size === names.size) break;
    const after = await filesAt(options, commit.oid);
    const before = await filesAt(options, commit.parents[0] ?? null);
    if (after === null || before === null) continue;
    for (const name of names) {
      if (!by.has(name) && after.get(name) !== before.get(name)) by.set(name, commit.author.name);
    }
  }
  return by;
}

/** Files of the folder of applications in a commit; null when the commit is not here any more. */
async function filesAt(options: BranchOptions, commit: string | null): Promise<Map<string, string> | null> {
  if (commit === null) return new Map();
  try {
    return blobMap((await options.mirror.readTree(commit, options.applications)) ?? []);
  } catch (error) {
    if (isAppError(error, 'git-object-missing')) return null;
    throw error;
  }
}
