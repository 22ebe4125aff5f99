import { Commits, Projects } from '@gitbeaker/rest';
import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import { type GitLab, parseAnswer } from './client.js';

/** A branch and its newest commits, the newest first, along first parents. */
export interface BranchCommits {
  branch: string;
  shas: string[];
}

const commitsSchema = z.array(z.object({ id: z.string() }));

/**
 * The newest commits of a branch; of the project's default branch where it has none of that name. `most`: how many.
 * Errors: those of gitlab-error.ts, `gitlab-not-found` where there is no branch at all.
 */
export async function readTargetBranch(
  gitlab: GitLab,
  input: { projectId: number; branch: string; most: number; signal?: AbortSignal },
): Promise<BranchCommits> {
  if (input.branch !== '') {
    try {
      return await readCommits(gitlab, input);
    } catch (error) {
      if (!isAppError(error, 'gitlab-not-found')) throw error;
    }
  }
  const call = 'project.read';
  const shown = await new Projects(gitlab.at(call, input.signal)).show(input.projectId);
  const { default_branch: branch } = parseAnswer(call, z.object({ default_branch: z.string() }), shown);
  return readCommits(gitlab, { ...input, branch });
}

async function readCommits(
  gitlab: GitLab,
  { projectId, branch, most, signal }: { projectId: number; branch: string; most: number; signal?: AbortSignal },
): Promise<BranchCommits> {
  const call = 'commit.list';
  const resource = new Commits(gitlab.at(call, signal));
  // A branch, whatever tag has the same name.
  const listed = await resource.all(projectId, {
    refName: `refs/heads/${branch}`,
    firstParent: true,
    ...{ perPage: most, page: 1 },
  });
  return { branch, shas: parseAnswer(call, commitsSchema, listed).map(({ id }) => id) };
}
