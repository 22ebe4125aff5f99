import { isAppError } from '../../error/app-error.js';
import { neededReads } from '../../preview/decide.js';
import type { MergeRequestReading } from '../../preview/facts.js';
import { nothingRead, type Readings, unlimitedInput, withReading } from './input.js';
import type { DecideDeps, SubjectState } from './needs.js';
import type { Subject } from './subject.js';

/** Asks GitLab what the decision depends on: the merge request, then the gate of the sha that it has now. */
export async function readGitLab(
  deps: Pick<DecideDeps, 'gitlab' | 'settings' | 'log'>,
  subject: Subject,
  state: SubjectState,
  signal: AbortSignal,
): Promise<Readings> {
  const parts = { subject, state, readings: nothingRead };
  const first = neededReads(unlimitedInput(deps.settings, parts), state.asked);
  let mergeRequest: MergeRequestReading | null = null;
  if (first.mergeRequest) {
    const answer = await deps.gitlab.readMergeRequest(subject.projectId, subject.iid, signal);
    // The fence compares times of one clock, PostgreSQL's: the read began after the state was loaded.
    mergeRequest = { ...answer, readStartedAt: state.now };
    if (!answer.known) deps.log.warn({ subject: subject.name, why: answer.why }, 'merge request not read');
  }
  const readings = { ...nothingRead, mergeRequest };
  const known = unlimitedInput(deps.settings, { ...parts, state: withReading(state, mergeRequest), readings });
  const { gateSha } = neededReads(known, false);
  if (gateSha === null || deps.settings.policyFor(subject.projectId) === null) return readings;
  return readGate(deps, subject, { ...readings, gateAskedFor: gateSha }, gateSha, signal);
}

async function readGate(
  deps: Pick<DecideDeps, 'gitlab' | 'log'>,
  subject: Subject,
  readings: Readings,
  sha: string,
  signal: AbortSignal,
): Promise<Readings> {
  try {
    const reading = await deps.gitlab.readGate(subject.projectId, sha, subject.iid, signal);
    return { ...readings, gate: { sha, reading } };
  } catch (error) {
    if (!isAppError(error)) throw error;
    // GitLab cannot say: the gate stays as it is, the rest of the decision goes on, and it is asked again later.
    deps.log.warn({ subject: subject.name, sha, err: error }, 'gate not read');
    return readings;
  }
}
