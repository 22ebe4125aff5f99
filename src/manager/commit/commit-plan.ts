import type { Preview } from '../../preview/preview.js';
import type { BranchView } from './deps.js';
import { commitMessage } from './message.js';
import type { WritePlan } from './plan-row.js';
import { folderKeeper } from './sync-branch.js';

export interface CommitDeps {
  /** Folder of applications in the branch, such as `apps`. */
  applications: string;
  /** Such as `acme/shop`; null: the project is not in the configuration any more. */
  projectPath(project: string): string | null;
  /** Path of a project that takes part in a linked preview; null: it left the configuration. */
  memberPath?(projectId: number): string | null;
}

/** The commit of one row: its file, written or removed, and the message that says why. */
export function commitPlan(deps: CommitDeps, view: BranchView, plan: WritePlan, generation: number) {
  const { preview, row, text, verb, cause, actor } = plan;
  const projectPath = deps.projectPath(preview.project);
  const of = { facts: row.facts, projectPath, ...referencesOf(deps, preview) };
  const message = commitMessage({ verb, preview, ...of, cause, actor, generation });
  const files = [{ path: `${deps.applications}/${preview.slug}.yml`, text }];
  // Agents take a missing folder for a mistake: it stays when its last file goes.
  return { files: text === null ? [...files, ...folderKeeper(deps.applications, view)] : files, message };
}

/** The merge requests of a linked preview, where the projects of all are known. */
function referencesOf({ memberPath }: CommitDeps, preview: Preview) {
  if (memberPath === undefined || !preview.subject.startsWith('group:')) return {};
  const references = preview.members.flatMap(({ projectId, iid }) =>
    iid === null ? [] : [`${memberPath(projectId) ?? projectId}!${iid}`],
  );
  return { references };
}
