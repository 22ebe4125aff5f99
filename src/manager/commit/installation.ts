import { parse, stringify } from 'yaml';
import { z } from 'zod';

/** Who the database says it belongs to. */
export interface InstallationState {
  /** null: nobody yet. */
  id: string | null;
  generation: number;
  /** null: no head of the branch was ever recorded. */
  branchHead: string | null;
  blockedReason: string | null;
}

/** What the branch says: that it is missing, that nobody wrote it, or whose it is. */
export type BranchOwner =
  | { kind: 'absent' }
  | { kind: 'unowned' }
  | { kind: 'unreadable' }
  | { kind: 'owned'; id: string };

/**
 * `begin`: `mayfly.yml` is to be written. `rewritten` is told by the caller, who knows the history.
 * `blocked`: nothing is written, and the sentence says what a person has to do.
 */
export type InstallationVerdict = { kind: 'ok' } | { kind: 'begin' } | { kind: 'blocked'; reason: string };

export const installationFileName = 'mayfly.yml';

/** Counts up when the arrangement of the branch changes. */
const layout = 1;

const fileSchema = z.object({ installation: z.uuid(), layout: z.number().int().min(1) });

export function installationFile(id: string): string {
  return `# Whose this branch is. Mayfly writes here only while this id is its own.\n${stringify({ installation: id, layout })}`;
}

/** Reads the text of `mayfly.yml`; anyone may have written it. */
export function branchOwner(head: string | null, text: string | null): BranchOwner {
  if (head === null) return { kind: 'absent' };
  if (text === null) return { kind: 'unowned' };
  const file = fileSchema.safeParse(yamlOrNull(text));
  if (!file.success || file.data.layout > layout) return { kind: 'unreadable' };
  return { kind: 'owned', id: file.data.installation };
}

/**
 * Whether this database may write this branch. `branchGeneration`: the newest that Mayfly's own commits name; null
 * when there is none. An empty database, or one of yesterday, never looks like 'no previews wanted'.
 */
export function checkInstallation(
  database: InstallationState | null,
  owner: BranchOwner,
  branchGeneration: number | null,
): InstallationVerdict {
  const id = database?.id ?? null;
  switch (owner.kind) {
    case 'absent':
      return database === null || database.branchHead === null ? { kind: 'begin' } : blocked(branchGone);
    case 'unowned':
      return database === null || database.branchHead === null ? { kind: 'begin' } : blocked(fileGone);
    case 'unreadable':
      return blocked(fileUnreadable);
    case 'owned':
      if (id !== owner.id) return blocked(otherInstallation(owner.id));
      return (branchGeneration ?? 0) > (database?.generation ?? 0) ? blocked(olderDatabase) : { kind: 'ok' };
  }
}

function blocked(reason: string): InstallationVerdict {
  return { kind: 'blocked', reason };
}

const branchGone =
  'The branch is gone. Nothing is written until it is back: push it again, or check `branch` in the configuration.';
const fileGone =
  'mayfly.yml is gone from the branch. Nothing is written until it is back: revert the commit that removed it, or check `branch` in the configuration.';
const fileUnreadable =
  'mayfly.yml in the branch cannot be read, or a newer Mayfly wrote it. Nothing is written until it is as Mayfly wrote it: revert the commit that changed it, or use the newer Mayfly.';
const olderDatabase =
  'The branch was written by a newer state of this database: it was restored from a backup. Nothing is written. Run `mayfly rebuild`.';

function otherInstallation(id: string): string {
  return `The branch belongs to installation ${id}, which this database does not know: it is empty, or another one. Nothing is written. Run \`mayfly rebuild\`, or check \`branch\` and \`database\` in the configuration.`;
}

function yamlOrNull(text: string): unknown {
  if (text.length > 4096) return null;
  try {
    return parse(text, { maxAliasCount: 0 });
  } catch (error) {
    // The library's errors of syntax and of aliases alike: the file is not what Mayfly wrote.
    if (error instanceof Error) return null;
    throw error;
  }
}
