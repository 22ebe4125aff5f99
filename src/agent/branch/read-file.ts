import type { Application } from '../../application/application.js';
import { incarnationOf, isOurs } from '../../application/file.js';
import { revisionOf } from '../../application/revision.js';
import { identityProblems, parseApplication } from '../../application/validate.js';
import { isAppError } from '../../error/app-error.js';

/** One incarnation that the branch asks this agent for. */
export interface WantedPreview {
  slug: string;
  incarnation: number;
  /** Fingerprint of the file. */
  revision: string;
  application: Application;
}

/**
 * What a file of the branch means to this agent. `wanted`: to be deployed here. `elsewhere`: another agent's.
 * `foreign`: not this installation's. `refused`: ours, and it asks for what no file may. `unreadable`: no Application.
 */
export type BranchFile =
  | { kind: 'wanted'; wanted: WantedPreview }
  | { kind: 'elsewhere'; incarnation: number }
  | { kind: 'foreign' }
  | { kind: 'refused'; incarnation: number; revision: string; why: string }
  | { kind: 'unreadable'; why: string };

export interface ReadFileInput {
  slug: string;
  text: string;
  installation: string;
  /** Name of this agent. */
  agent: string;
  namespacePrefix: string;
}

/** Reads one file of the Applications' folder. Pure; never throws for what stands in the file. */
export function readBranchFile(input: ReadFileInput): BranchFile {
  let application: Application;
  try {
    application = parseApplication(input.text);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { kind: 'unreadable', why: error.publicMessage };
  }
  const incarnation = incarnationOf(application);
  if (!isOurs(application, input.installation) || incarnation === null) return { kind: 'foreign' };
  if (application.spec.destination.name !== input.agent) return { kind: 'elsewhere', incarnation };
  const expected = { name: input.slug, cluster: input.agent, namespace: input.namespacePrefix + input.slug };
  const problems = identityProblems(application, expected);
  const revision = revisionOf(application);
  if (problems.length > 0) return { kind: 'refused', incarnation, revision, why: problems.join('; ') };
  return { kind: 'wanted', wanted: { slug: input.slug, incarnation, revision, application } };
}
