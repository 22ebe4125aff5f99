import type { Decision, ImageWait } from '../../preview/decision.js';
import { parseImage } from '../../preview/image-reference.js';
import type { Readings } from './input.js';
import type { DecideSettings, Job, SubjectState } from './needs.js';
import type { Subject } from './subject.js';
import { headsOfLines } from './usage.js';

export const pauseMs = { gate: 60_000, slug: 600_000 };
const shortestPauseMs = 15_000;
const longestPauseMs = 600_000;
const longestAbsencePauseMs = 86_400_000;
const gatePauseMs = 60_000;

/** The job that decides about a subject. */
export function decideJob(subject: string, runAt?: number): Job {
  return { task: 'decide', key: `decide:${subject}`, payload: { subject }, ...(runAt === undefined ? {} : { runAt }) };
}

/** The job that writes the branch. */
export function commitJob(branch: string): Job {
  return { task: 'commit', key: `commit:${branch}`, payload: {} };
}

/** The job that tells the merge request. */
export function feedbackJob(projectId: number, iid: number): Job {
  return { task: 'feedback', key: `feedback:${projectId}:${iid}`, payload: { projectId, iid } };
}

/** The job that keeps true what notes say of places in line. */
export function lineJob(runAt?: number): Job {
  return { task: 'line', key: 'line', payload: {}, ...(runAt === undefined ? {} : { runAt }) };
}

/** The job that looks for the images of one registry. */
function imagesJob(registry: string): Job {
  return { task: 'images', key: `images:${registry}`, payload: { registry } };
}

function imageJobs(images: readonly ImageWait[]): Job[] {
  const hosts = new Set(images.map(({ image }) => parseImage(image)?.host).filter((host) => host !== undefined));
  return [...hosts].map((host) => imagesJob(host));
}

/** What follows from a decision and is saved with it. The branch writer is told apart, see `DecideDeps`. */
export function jobsOf(
  settings: DecideSettings,
  parts: { subject: Subject; state: SubjectState; readings: Readings; decision: Decision; project: string | null },
): Job[] {
  const { subject, decision } = parts;
  // What waits for the branch writer is told by that once it is written, or cannot be: one word instead of two.
  const isToldNow = decision.wantsFeedback && !decision.needsCommit;
  const told = isToldNow ? [feedbackJob(subject.projectId, subject.iid)] : [];
  const again = runAgain(settings, parts);
  return [...told, ...commonJobs(settings, parts), ...(again === null ? [] : [again])];
}

/** What follows from every decision: images are looked for, and who waits for the slot that is free now is decided. */
export function commonJobs(
  settings: DecideSettings,
  { state, decision, project }: { state: SubjectState; decision: Decision; project: string | null },
): Job[] {
  const jobs = imageJobs(decision.needed.images);
  if (decision.freedSlot && project !== null) {
    const heads = headsOfLines(state.occupancy, project, settings.slotLimits());
    jobs.push(...heads.map((head) => decideJob(head)));
  }
  const joinedLine = decision.preview?.waitingFor === 'slot' && state.preview?.waitingFor !== 'slot';
  // Whoever else waits has another place now, or the line another length.
  const others = state.occupancy.some((line) => line.head !== null);
  return others && (decision.freedSlot || joinedLine) ? [...jobs, lineJob()] : jobs;
}

/** Another run after GitLab could not say. */
export function askAgain(subject: string, state: Pick<SubjectState, 'now' | 'unknownSince'>, isAbsent: boolean): Job {
  const unknownForMs = state.now - (state.unknownSince ?? state.now);
  // One that is not there is most likely gone for good; a GitLab that is out of order comes back.
  const mostMs = isAbsent ? longestAbsencePauseMs : longestPauseMs;
  return decideJob(subject, state.now + Math.min(mostMs, Math.max(shortestPauseMs, unknownForMs / 2)));
}

/** Another run for what this one could not read: at once when it did not ask, later when GitLab could not say. */
function runAgain(
  settings: DecideSettings,
  parts: { subject: Subject; state: SubjectState; readings: Readings; decision: Decision },
): Job | null {
  const { subject, state, readings, decision } = parts;
  const { needed } = decision;
  const isConcerned = settings.policyFor(subject.projectId) !== null || decision.preview !== null;
  if (readings.mergeRequest?.known === false && isConcerned) {
    return askAgain(subject.name, state, readings.mergeRequest.absent === true);
  }
  if (needed.mergeRequest && readings.mergeRequest === null) return decideJob(subject.name);
  if (needed.gateSha !== null) {
    const wasAsked = readings.gateAskedFor === needed.gateSha;
    return wasAsked ? decideJob(subject.name, state.now + gatePauseMs) : decideJob(subject.name);
  }
  return decision.slugTaken ? decideJob(subject.name, state.now + longestPauseMs) : null;
}
