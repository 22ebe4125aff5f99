import { AppError } from '../../error/app-error.js';
import type { GateFact } from '../../preview/facts.js';
import { imageGateKey, pipelineGateKey } from '../../preview/gate.js';
import { parseImage, renderImage } from '../../preview/image-reference.js';
import type { Baseline, LinkedProject } from '../../preview/linked.js';
import { baselinePolicy } from '../../preview/linked-advance.js';
import type { DecideDeps } from './needs.js';

export interface BaselineDeps {
  /** The newest commits of a branch, or of the default branch where there is none of that name; newest first. */
  readTargetBranch: (
    question: { projectId: number; branch: string; most: number },
    signal: AbortSignal,
  ) => Promise<{ branch: string; shas: string[] }>;
  readGate: DecideDeps['gitlab']['readGate'];
  hasImage: (input: {
    projectId: number;
    host: string;
    repository: string;
    tag: string;
    signal: AbortSignal;
  }) => Promise<boolean>;
}

/** Commits of a target branch that are looked at; further back nothing is looked for. */
export const baselineLookBack = 20;

/**
 * The newest commit of a target branch, and the newest that passed the project's gates: its pipeline and its images,
 * without the approval that a merge stands for. Errors: GitLab's, `gitlab-not-found` for a project without a branch.
 */
export async function readBaseline(
  deps: BaselineDeps,
  { project, branch: wanted }: { project: LinkedProject; branch: string },
  signal: AbortSignal,
): Promise<{ baseline: Baseline; gates: GateFact[] }> {
  const { projectId } = project;
  const { branch, shas } = await deps.readTargetBranch({ projectId, branch: wanted, most: baselineLookBack }, signal);
  const [head] = shas;
  if (head === undefined) throw noCommits(project, branch);
  const gates: GateFact[] = [];
  for (const sha of shas) {
    const look = await lookAt(deps, { project, branch, sha }, signal);
    // Of the others only the one that passed matters.
    if (sha === head || look.passed) gates.push(...look.gates);
    if (look.passed) return { baseline: { projectId, branch, head, passed: sha }, gates };
  }
  return { baseline: { projectId, branch, head, passed: null }, gates };
}

function noCommits({ projectId, policy }: LinkedProject, branch: string): AppError {
  return new AppError({
    code: 'no-commits',
    disposition: 'retry',
    publicMessage: `The branch ${branch} of the project ${policy.project} has no commits, so that no linked preview can run it.`,
    data: { projectId },
  });
}

async function lookAt(
  deps: BaselineDeps,
  { project, branch, sha }: { project: LinkedProject; branch: string; sha: string },
  signal: AbortSignal,
): Promise<{ passed: boolean; gates: GateFact[] }> {
  const { projectId } = project;
  const policy = baselinePolicy(project.policy);
  const gates: GateFact[] = [];
  const { gatePipeline: gate } = policy;
  const key = pipelineGateKey(gate);
  if (gate !== 'none' && key !== null) {
    const reading = await deps.readGate({ projectId, sha, iid: null, gate }, signal);
    gates.push({ projectId, sha, gate: key, reading });
    if (reading.state !== 'open') return { passed: false, gates };
  }
  for (const template of policy.gateImages) {
    const image = renderImage(template, { slug: null, project: policy.project, iid: 0, sha, sourceBranch: branch });
    const reference = image === null ? null : parseImage(image);
    if (image === null || reference === null) return { passed: false, gates };
    // One that is not there is said nothing of: it is looked for like every other while its commit is waited for.
    if (!(await deps.hasImage({ projectId, ...reference, signal }))) return { passed: false, gates };
    gates.push({ projectId, sha, gate: imageGateKey(image), reading: { state: 'open' } });
  }
  return { passed: true, gates };
}
