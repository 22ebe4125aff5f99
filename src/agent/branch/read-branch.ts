import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';

interface FolderEntry {
  name: string;
  /** `100644` a file, `040000` a folder, `120000` a link. */
  mode: string;
  oid: string;
}

export interface BranchReader {
  /** Brings the newest commit; null when there is no such branch. */
  fetchHead(signal: AbortSignal): Promise<string | null>;
  isDescendant(head: string, ancestor: string, signal: AbortSignal): Promise<boolean>;
  /** null when there is no such folder. */
  readTree(commit: string, path: string): Promise<FolderEntry[] | null>;
  readBlob(oid: string): Promise<Uint8Array>;
}

/** The branch at one commit. */
export interface BranchSnapshot {
  head: string | null;
  descends: boolean;
  installation: string | null;
  /** Blob id of each `<slug>.yml`; null when there is no folder of Applications. */
  files: Map<string, string> | null;
  /** What else lies in that folder; never touched. */
  unknown: string[];
}

/** The file at the root that says whose branch it is. */
const installationFile = 'mayfly.yml';

/** A newer layout is one that this agent does not know: as good as no installation at all. */
const installationSchema = z.object({
  installation: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,61}$/),
  layout: z.literal(1).optional(),
});
const filePattern = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)\.yml$/;

/** Fetches the branch and reads what decides over everything else. `trusted` is the last head that passed the guards. */
export async function readBranch(
  deps: BranchReader,
  input: { applications: string; trusted: string | null; signal: AbortSignal },
): Promise<BranchSnapshot> {
  const head = await deps.fetchHead(input.signal);
  if (head === null) return { head, descends: false, installation: null, files: null, unknown: [] };
  const { trusted } = input;
  const descends = trusted === null || trusted === head || (await deps.isDescendant(head, trusted, input.signal));
  const installation = await readInstallation(deps, head);
  const folder = await deps.readTree(head, input.applications);
  const files = new Map<string, string>();
  const unknown: string[] = [];
  for (const entry of folder ?? []) {
    const slug = filePattern.exec(entry.name)?.[1];
    if (slug !== undefined && entry.mode.startsWith('100')) files.set(slug, entry.oid);
    else unknown.push(entry.name);
  }
  return { head, descends, installation, files: folder === null ? null : files, unknown };
}

async function readInstallation(deps: BranchReader, head: string): Promise<string | null> {
  const entry = (await deps.readTree(head, ''))?.find(({ name }) => name === installationFile);
  if (entry === undefined || !entry.mode.startsWith('100')) return null;
  const text = new TextDecoder().decode(await deps.readBlob(entry.oid));
  try {
    const parsed = installationSchema.safeParse(parse(text, { maxAliasCount: 0 }));
    return parsed.success ? parsed.data.installation : null;
  } catch (error) {
    if (error instanceof YAMLParseError || error instanceof ReferenceError) return null;
    throw error;
  }
}

/** What changed between two looks at the folder. */
export function changedFiles(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): { changed: string[]; removed: string[] } {
  return {
    changed: [...after].filter(([slug, oid]) => before.get(slug) !== oid).map(([slug]) => slug),
    removed: [...before.keys()].filter((slug) => !after.has(slug)),
  };
}
