import { isAppError } from '../../error/app-error.js';
import { neededReads } from '../../preview/decide.js';
import type { NeededReads } from '../../preview/decision.js';
import { pipelineGateKey } from '../../preview/gate.js';
import {
  type LinkedReadings,
  type LinkedScope,
  linkedInput,
  type MemberReading,
  noLinkedReadings,
  relevant,
  withReadings,
} from './linked.js';
import type { DecideDeps, LinkedMergeRequest, SubjectState } from './needs.js';

type ReadDeps = Pick<DecideDeps, 'gitlab' | 'settings' | 'log'>;

/** Merge requests, their gates, target branches, the gates of those: each answer may ask for the next. */
const mostRounds = 4;

/** Asks GitLab what the decision about a linked preview depends on. `given`: what was read already in this run. */
export async function readLinked(
  deps: ReadDeps,
  scope: LinkedScope,
  { state, given }: { state: SubjectState; given: readonly MemberReading[] },
  signal: AbortSignal,
): Promise<LinkedReadings> {
  const startedAt = Math.min(state.now, ...given.map(({ reading }) => reading.readStartedAt));
  let readings: LinkedReadings = { ...noLinkedReadings, startedAt, members: given };
  for (let round = 0; round < mostRounds; round += 1) {
    const known = withReadings(state, readings.members);
    // One that ended is asked about as any other: it may have been reopened.
    const isAsked = known.mergeRequests?.some(({ asked }) => asked) ?? false;
    const needed = neededReads(linkedInput(scope, known, readings), isAsked);
    const more = await readMore(deps, scope, { state: known, needed, readings }, signal);
    if (more === null) return readings;
    readings = more;
  }
  return readings;
}

/** null: nothing more is needed, or everything was asked already. */
async function readMore(
  deps: ReadDeps,
  scope: LinkedScope,
  { state, needed, readings }: { state: SubjectState; needed: NeededReads; readings: LinkedReadings },
  signal: AbortSignal,
): Promise<LinkedReadings | null> {
  if (needed.mergeRequest) {
    const wasRead = new Set(readings.members.map(({ projectId, iid }) => `${projectId}!${iid}`));
    const open = new Set(relevant(state, scope.subject.branch));
    const wanted = (state.mergeRequests ?? []).filter(
      (each) => (open.has(each) || each.asked) && !wasRead.has(`${each.projectId}!${each.iid}`),
    );
    if (wanted.length > 0) {
      const read = wanted.map((member) => readMember(deps, member, state.now, signal));
      return { ...readings, members: [...readings.members, ...(await Promise.all(read))] };
    }
  }
  const gates = (needed.memberGates ?? []).filter(
    ({ projectId, sha }) => !readings.gatesAsked.includes(`${projectId} ${sha}`),
  );
  if (gates.length > 0) return withGates(deps, scope, { gates, readings }, signal);
  const baselines = needed.baselines ?? [];
  return baselines.length === 0 ? null : withBaselines(deps, scope, { state, baselines, readings }, signal);
}

async function readMember(
  deps: ReadDeps,
  { projectId, iid, facts }: Pick<LinkedMergeRequest, 'projectId' | 'iid' | 'facts'>,
  now: number,
  signal: AbortSignal,
): Promise<MemberReading> {
  const answer = await deps.gitlab.readMergeRequest(projectId, iid, signal, facts);
  if (!answer.known) deps.log.warn({ projectId, iid, why: answer.why }, 'merge request not read');
  // The fence compares times of one clock, PostgreSQL's: the read began after the state was loaded.
  return { projectId, iid, reading: { ...answer, readStartedAt: now } };
}

async function withGates(
  deps: ReadDeps,
  scope: LinkedScope,
  { gates, readings }: { gates: NonNullable<NeededReads['memberGates']>; readings: LinkedReadings },
  signal: AbortSignal,
): Promise<LinkedReadings> {
  const read = await Promise.all(
    gates.map(async ({ projectId, iid, sha }) => {
      const gate = scope.group?.projects.find((project) => project.projectId === projectId)?.policy.gatePipeline;
      const key = gate === undefined ? null : pipelineGateKey(gate);
      if (gate === undefined || gate === 'none' || key === null) return [];
      try {
        const reading = await deps.gitlab.readGate({ projectId, sha, iid, gate }, signal);
        return [{ projectId, sha, gate: key, reading }];
      } catch (error) {
        if (!isAppError(error)) throw error;
        // GitLab cannot say: this gate stays as it is, the rest of the decision goes on, and it is asked again later.
        deps.log.warn({ subject: scope.subject.name, projectId, sha, err: error }, 'gate not read');
        return [];
      }
    }),
  );
  const gatesAsked = [...readings.gatesAsked, ...gates.map(({ projectId, sha }) => `${projectId} ${sha}`)];
  return { ...readings, gates: [...readings.gates, ...read.flat()], gatesAsked };
}

async function withBaselines(
  deps: ReadDeps,
  scope: LinkedScope,
  { state, baselines, readings }: { state: SubjectState; baselines: readonly number[]; readings: LinkedReadings },
  signal: AbortSignal,
): Promise<LinkedReadings> {
  const { readBaseline } = deps.gitlab;
  const branch = relevant(state, scope.subject.branch).find(({ facts }) => facts !== null)?.facts?.targetBranch ?? '';
  const read = await Promise.all(
    baselines.map(async (projectId) => {
      const project = scope.group?.projects.find((each) => each.projectId === projectId);
      if (project === undefined || readBaseline === undefined) return projectId;
      try {
        return await readBaseline({ project, branch }, signal);
      } catch (error) {
        if (!isAppError(error)) throw error;
        deps.log.warn({ subject: scope.subject.name, projectId, err: error }, 'target branch not read');
        return projectId;
      }
    }),
  );
  const found = read.flatMap((each) => (typeof each === 'number' ? [] : [each]));
  const silent = read.flatMap((each) => (typeof each === 'number' ? [each] : []));
  return {
    ...readings,
    baselines: [...readings.baselines, ...found.map(({ baseline }) => baseline)],
    gates: [...readings.gates, ...found.flatMap(({ gates }) => gates)],
    gatesAsked: [
      ...readings.gatesAsked,
      ...found.flatMap(({ gates }) => gates.map(({ projectId, sha }) => `${projectId} ${sha}`)),
    ],
    silent: [...readings.silent, ...silent],
  };
}
