import { isAppError } from '../../error/app-error.js';
import { neededReads } from '../../preview/decide.js';
import type { MergeRequestReading } from '../../preview/facts.js';
import { pipelineGateKey } from '../../preview/gate.js';
import type { Policy } from '../../preview/policy.js';
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
    const answer = await deps.gitlab.readMergeRequest(subject.projectId, subject.iid, signal, state.facts);
    // The fence compares times of one clock, PostgreSQL's: the read began after the state was loaded.
    mergeRequest = { ...answer, readStartedAt: state.now };
    if (!answer.known) deps.log.warn({ subject: subject.name, why: answer.why }, 'merge request not read');
  }
  const readings = { ...nothingRead, mergeRequest };
  const known = unlimitedInput(deps.settings, { ...parts, state: withReading(state, mergeRequest), readings });
  const { gateSha } = neededReads(known, false);
  const policy = deps.settings.policyFor(subject.projectId);
  if (gateSha === null || policy === null) return readings;
  return readPipeline(deps, { subject, sha: gateSha, policy }, { ...readings, gateAskedFor: gateSha }, signal);
}

async function readPipeline(
  deps: Pick<DecideDeps, 'gitlab' | 'log'>,
  { subject, sha, policy }: { subject: Subject; sha: string; policy: Policy },
  readings: Readings,
  signal: AbortSignal,
): Promise<Readings> {
  const { projectId, iid } = subject;
  const gate = policy.gatePipeline;
  const key = pipelineGateKey(gate);
  if (gate === 'none' || key === null) return readings;
  try {
    const reading = await deps.gitlab.readGate({ projectId, sha, iid, gate }, signal);
    return { ...readings, gates: [{ projectId, sha, gate: key, reading }] };
  } catch (error) {
    if (!isAppError(error)) throw error;
    // GitLab cannot say: the gate stays as it is, the rest of the decision goes on, and it is asked again later.
    deps.log.warn({ subject: subject.name, sha, err: error }, 'gate not read');
    return readings;
  }
}
