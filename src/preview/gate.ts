import type { GateFact, GateReading, MergeRequestFacts } from './facts.js';
import { forkNeedsApproval } from './follow.js';
import { parseImage, renderImage } from './image-reference.js';
import type { Policy } from './policy.js';
import type { WaitingFor } from './preview.js';

/** What must be true of a sha before it is deployed. */
type Gate =
  /** `key` is what its verdict is stored under: it names all that the verdict depends on beside the sha. */
  | { kind: 'pipeline'; key: string }
  | { kind: 'approval'; key: string }
  /** `image` null: the template needs a name that the preview does not have yet. */
  | { kind: 'image'; key: string; image: string | null };

type ClosedReading = Exclude<GateReading, { state: 'open' }>;

/** What is to be judged: one sha of one merge request. */
export interface GateSubject {
  policy: GatePolicy;
  facts: Pick<MergeRequestFacts, 'projectId' | 'iid' | 'sourceBranch' | 'sourceProjectId'>;
  /** null while the preview has no name yet. */
  slug: string | null;
  sha: string;
  /** A member approved this very sha. */
  approved: boolean;
}

type GatePolicy = Pick<Policy, 'project' | 'gatePipeline' | 'gateImages' | 'gateApproval'> & {
  follow: Pick<Policy['follow'], 'forks'>;
};

/** How all gates of one sha stand together. */
export interface GatesState {
  /** What is told of those that are closed; `reading` null: nobody has asked yet. null: all are open. */
  closed: { kind: Exclude<WaitingFor, 'slot' | 'project'>; reading: ClosedReading | null } | null;
  /** Keys of those that are open. */
  open: string[];
  /** GitLab must be asked about the pipeline. */
  needsPipeline: boolean;
  /** Images that nobody looks for yet and that stand in the way. */
  imagesToLookFor: string[];
}

/** Key of the pipeline gate; null: there is none. */
export function pipelineGateKey(gate: Policy['gatePipeline']): string | null {
  if (gate === 'none') {
    return null;
  }
  return gate === 'success' ? 'pipeline' : `jobs ${JSON.stringify([...new Set(gate.jobs)].sort())}`;
}

/** Key of the gate of one image. */
export function imageGateKey(image: string): string {
  return `image ${image}`;
}

/**
 * Whether a sha may be deployed: every configured gate must be open, and one that was open once stays open. `known`
 * may speak of other shas and other gates; only what is of this very project, sha and gate counts.
 */
export function judgeGates(subject: GateSubject, known: readonly GateFact[]): GatesState {
  const readings = new Map<string, GateReading>();
  for (const fact of known) {
    if (fact.projectId !== subject.facts.projectId || fact.sha !== subject.sha) {
      continue;
    }
    if (readings.get(fact.gate)?.state !== 'open') {
      readings.set(fact.gate, fact.reading);
    }
  }
  const judged = gatesOf(subject).map((gate) => ({ gate, reading: readingOf(gate, subject, readings) }));
  const closed = judged.filter(({ reading }) => reading?.state !== 'open');
  const told =
    closed.find(({ reading }) => reading?.state === 'failed') ??
    // What a person must do is told before what comes by itself.
    closed.find(({ gate }) => gate.kind === 'approval') ??
    closed[0];
  const isOnlyForImages = closed.every(({ gate }) => gate.kind === 'image');
  return {
    closed: told === undefined ? null : { kind: told.gate.kind, reading: closedReading(told.gate, told.reading) },
    open: judged.filter(({ reading }) => reading?.state === 'open').map(({ gate }) => gate.key),
    needsPipeline: closed.some(({ gate, reading }) => gate.kind === 'pipeline' && reading === null),
    // No registry is asked for an image of a sha that may not be deployed for other reasons.
    imagesToLookFor: isOnlyForImages ? unlooked(closed) : [],
  };
}

function unlooked(closed: readonly { gate: Gate; reading: GateReading | null }[]): string[] {
  return closed.flatMap(({ gate, reading }) =>
    gate.kind === 'image' && gate.image !== null && reading === null ? [gate.image] : [],
  );
}

function gatesOf({ policy, facts, slug, sha }: GateSubject): Gate[] {
  const gates: Gate[] = [];
  const pipeline = pipelineGateKey(policy.gatePipeline);
  if (pipeline !== null) {
    gates.push({ kind: 'pipeline', key: pipeline });
  }
  // What a fork pushes is a stranger's, whatever else is asked of it.
  if (policy.gateApproval === 'member' || forkNeedsApproval(policy.follow, facts)) {
    gates.push({ kind: 'approval', key: 'approval' });
  }
  for (const template of policy.gateImages) {
    const image = renderImage(template, { ...facts, slug, sha, project: policy.project });
    gates.push({ kind: 'image', key: imageGateKey(image ?? template), image });
  }
  return gates;
}

function readingOf(gate: Gate, subject: GateSubject, readings: ReadonlyMap<string, GateReading>): GateReading | null {
  const known = readings.get(gate.key) ?? null;
  if (known?.state === 'open') {
    return known;
  }
  if (gate.kind === 'approval') {
    return subject.approved ? { state: 'open' } : { state: 'waiting', detail: null };
  }
  if (gate.kind === 'image' && gate.image !== null && parseImage(gate.image) === null) {
    // Such as a tag that would be empty for a branch without a single letter.
    return { state: 'failed', detail: `The image ${gate.image} is not the name of an image.` };
  }
  return known;
}

/** What is told of a closed gate: an image that nobody has looked for yet is as good as one that is not there. */
function closedReading(gate: Gate, reading: GateReading | null): ClosedReading | null {
  const isAbsent = reading === null || (reading.state === 'waiting' && reading.detail === null);
  if (gate.kind === 'image' && gate.image !== null && isAbsent) {
    return { state: 'waiting', detail: `The image ${gate.image} is not there yet.` };
  }
  return reading === null || reading.state === 'open' ? null : reading;
}
