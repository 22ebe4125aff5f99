import type { Diagnosis, ObservedObject } from '../../protocol/observations.js';
import { displayName, fields, type Manifest, text } from '../manifest.js';
import { type Blame, blamePod } from './blame-pod.js';
import { cleanLine } from './redact.js';

export interface DiagnoseDeps {
  listPods(namespace: string, signal: AbortSignal): Promise<Manifest[]>;
  /** Events of type Warning. */
  listWarnings(namespace: string, signal: AbortSignal): Promise<Manifest[]>;
  /** The last lines of a container's output, or of its run before. */
  readLog(
    input: { namespace: string; pod: string; container: string; previous: boolean; lines: number },
    signal: AbortSignal,
  ): Promise<string>;
}

export interface DiagnoseInput {
  namespace: string;
  /** The preview's objects that are not healthy, the worst first. */
  unwell: readonly ObservedObject[];
  signal: AbortSignal;
}

export interface Finding {
  diagnosis: Diagnosis;
  /** It will not get better by waiting: the preview has failed, though its objects may still say Progressing. */
  stuck: boolean;
}

const logLines = 20;
const shownEvents = 5;
const maxLine = 500;

/** Why a preview is not healthy: the object to blame in one sentence, then its last warnings and its last lines. */
export async function diagnose(deps: DiagnoseDeps, input: DiagnoseInput): Promise<Finding | null> {
  const first = input.unwell[0];
  if (first === undefined) return null;
  const blame = blamePod(await deps.listPods(input.namespace, input.signal));
  const warnings = lastWarnings(await deps.listWarnings(input.namespace, input.signal), blame);
  const lines = blame?.ranBefore ? await lastLines(deps, blame, input) : [];
  const object = blame === null ? displayName(first) : displayName({ kind: 'Pod', name: blame.pod.metadata.name });
  return {
    diagnosis: {
      cause: 'health',
      object,
      sentence: blame === null ? sentenceOfObject(first, warnings) : sentenceOf(blame),
      evidence: [...warnings, ...lines],
    },
    stuck: blame?.stuck ?? false,
  };
}

function sentenceOf(blame: Blame): string {
  const where = blame.container === null ? '' : `, container ${blame.container}`;
  const exit = blame.exitCode === null ? '' : `, last exit code ${blame.exitCode}`;
  const restarts = blame.restarts === 0 ? '' : `, ${blame.restarts} restarts`;
  const message = blame.message === '' ? '' : `: ${blame.message}`;
  return cleanLine(`Pod ${blame.pod.metadata.name}${where} is ${blame.reason}${exit}${restarts}${message}`, 1_000);
}

/** No pod is in trouble, so there may be none: the newest warning says why, such as a quota. */
function sentenceOfObject(object: ObservedObject, warnings: readonly string[]): string {
  const reason = object.message || warnings.at(-1) || '';
  return cleanLine(`${displayName(object)} is ${object.health}${reason === '' ? '' : `: ${reason}`}`, 1_000);
}

function lastWarnings(events: readonly Manifest[], blame: Blame | null): string[] {
  const about = events.filter((event) => {
    const involved = fields(event.involvedObject);
    // Events of pods that are not to blame would only distract; those of workloads tell why there is no pod.
    return blame === null || involved.kind !== 'Pod' || involved.name === blame.pod.metadata.name;
  });
  const sorted = [...about].sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1));
  return sorted.slice(-shownEvents).map((event) => {
    const involved = fields(event.involvedObject);
    const repeated = typeof event.count === 'number' && event.count > 1 ? ` (${event.count} times)` : '';
    const who = `${text(involved.kind)}/${text(involved.name)}`;
    return cleanLine(`${text(event.reason)} ${who}: ${text(event.message)}${repeated}`, maxLine);
  });
}

function timeOf(event: Manifest): string {
  return text(event.lastTimestamp) || text(event.eventTime) || text(event.metadata.creationTimestamp);
}

async function lastLines(deps: DiagnoseDeps, blame: Blame, input: DiagnoseInput): Promise<string[]> {
  const container = blame.container;
  if (container === null) return [];
  const pod = blame.pod.metadata.name;
  const query = { namespace: input.namespace, pod, container, lines: logLines };
  const running = blame.reason === 'NotReady';
  // A container that waits to be started again has said its last words in the run before.
  for (const previous of running ? [false] : [true, false]) {
    const log = await deps.readLog({ ...query, previous }, input.signal);
    const lines = log.split('\n').filter((line) => line.trim() !== '');
    if (lines.length > 0) return lines.slice(-logLines).map((line) => cleanLine(line, maxLine));
  }
  return [];
}
