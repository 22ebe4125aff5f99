import { isAppError } from '../../error/app-error.js';
import type { Diagnosis, ObservedObject } from '../../protocol/observations.js';
import { displayName, type Manifest } from '../manifest.js';
import { type Blame, sentenceOf } from './blame.js';
import { blameClaim, claimsOf } from './blame-claim.js';
import { blameCreation } from './blame-creation.js';
import { blameIngress } from './blame-ingress.js';
import { blamePod, type PodFaults } from './blame-pod.js';
import { type ClusterReader, maxListed } from './cluster-reader.js';
import { lastLines } from './log-lines.js';
import { ownersOf } from './pod-owners.js';
import { createRedactor, type Redactor } from './redact.js';
import { secretValues } from './secret-values.js';
import { readWarnings, type Warning, warningLine } from './warnings.js';

export interface DiagnoseInput {
  namespace: string;
  /** The preview's objects that are not healthy, the worst first. */
  unwell: readonly ObservedObject[];
  now: number;
  signal: AbortSignal;
}

export interface Finding {
  diagnosis: Diagnosis;
  /** It will not get better by waiting: the preview has failed, though its objects may still say Progressing. */
  stuck: boolean;
}

/** Groups whose objects are judged in words of our own, in which there is nothing to redact. */
const ownWords: ReadonlySet<string> = new Set(['', 'apps', 'batch', 'networking.k8s.io']);
const shownEvents = 5;
const maxLine = 500;
const maxSentence = 1_000;

/** Why a preview is not healthy: the object to blame in one sentence, then its last warnings and its last lines. */
export async function diagnose(reader: ClusterReader, input: DiagnoseInput): Promise<Finding | null> {
  const first = input.unwell[0];
  if (first === undefined) return null;
  const { namespace, signal } = input;
  const [pods, events] = await Promise.all([
    reader.list({ apiVersion: 'v1', kind: 'Pod', namespace }, signal),
    reader.list({ apiVersion: 'v1', kind: 'Event', namespace, fieldSelector: 'type=Warning' }, signal),
  ]);
  const warnings = readWarnings(events);
  const blame = await findBlame(reader, input, pods, warnings);
  const shown = warningsAbout(blame, warnings);
  const redactor = await redactorFor(reader, input, blame === null && shown.length === 0 && ownWords.has(first.group));
  const sentence = blame === null ? sentenceOfObject(first, shown) : sentenceOf(blame);
  const { line } = redactor ?? createRedactor([]);
  const logs = await logsOf(reader, input, blame, redactor);
  return {
    diagnosis: {
      cause: 'health',
      object: displayName(blame ?? first),
      sentence: line(sentence, maxSentence),
      evidence: shown.map((warning) => line(warningLine(warning), maxLine)),
      ...(logs.length > 0 ? { logs } : {}),
    },
    stuck: blame?.stuck ?? false,
  };
}

/**
 * From the nearest cause to the farthest: a pod of what is unwell, a pod that may not be made, what the kind of object
 * lacks, and at last any pod: controllers make pods for kinds that nobody knows here.
 */
async function findBlame(
  reader: ClusterReader,
  input: DiagnoseInput,
  pods: readonly Manifest[],
  warnings: readonly Warning[],
): Promise<Blame | null> {
  const unwell = new Set(input.unwell.map(displayName));
  const own = pods.filter((pod) => [displayName(nameOf(pod)), ...ownersOf(pod)].some((name) => unwell.has(name)));
  const faulty = blamePod(own, warnings, input.now);
  if (faulty !== null) return (await claimBehind(reader, input, faulty)) ?? faulty.blame;
  return (
    blameCreation(warnings, pods, unwell) ??
    (await blameObject(reader, input)) ??
    blamePod(pods, warnings, input.now)?.blame ??
    null
  );
}

function nameOf(pod: Manifest): { kind: string; name: string } {
  return { kind: 'Pod', name: pod.metadata.name };
}

/** A pod that is not placed may wait for a volume: then the claim is to blame. */
async function claimBehind(reader: ClusterReader, input: DiagnoseInput, faulty: PodFaults): Promise<Blame | null> {
  const names = faulty.blame.reason === 'Unschedulable' ? claimsOf(faulty.pod) : [];
  return names.length === 0 ? null : blameClaim(reader, { ...input, names });
}

/** What an object without pods lacks. */
async function blameObject(reader: ClusterReader, input: DiagnoseInput): Promise<Blame | null> {
  for (const { group, kind, name } of input.unwell) {
    const blame =
      kind === 'PersistentVolumeClaim' && group === ''
        ? await blameClaim(reader, { ...input, names: [name] })
        : kind === 'Ingress'
          ? await blameIngress(reader, { ...input, name })
          : null;
    if (blame !== null) return blame;
  }
  return null;
}

/** Nobody is to blame: the object's own message says why, or the newest warning. */
function sentenceOfObject(object: ObservedObject, warnings: readonly Warning[]): string {
  const newest = warnings.at(-1);
  const reason = object.message || (newest === undefined ? '' : warningLine(newest));
  return `${displayName(object)} is ${object.health}${reason === '' ? '' : `: ${reason}`}`;
}

/** Events of pods that are not to blame would only distract; those of workloads tell why there is no pod. */
function warningsAbout(blame: Blame | null, warnings: readonly Warning[]): Warning[] {
  const about = warnings.filter(
    ({ kind, name }) => kind !== 'Pod' || blame === null || (blame.kind === 'Pod' && blame.name === name),
  );
  return about.slice(-shownEvents);
}

/** null: the values of the namespace's secrets are not known. Where there is nothing to redact, they are not read. */
async function redactorFor(
  reader: ClusterReader,
  { namespace, signal }: DiagnoseInput,
  idle: boolean,
): Promise<Redactor | null> {
  if (idle) return null;
  try {
    const secrets = await reader.list({ apiVersion: 'v1', kind: 'Secret', namespace }, signal);
    return secrets.length < maxListed ? createRedactor(secretValues(secrets)) : null;
  } catch (error) {
    if (signal.aborted || !isAppError(error)) throw error;
    return null;
  }
}

/** A program prints what it likes: without the values of the secrets at hand, nothing of it travels. */
async function logsOf(
  reader: ClusterReader,
  input: DiagnoseInput,
  blame: Blame | null,
  redactor: Redactor | null,
): Promise<string[]> {
  if (blame === null || blame.container === null) return [];
  if (redactor === null) {
    return ['(left out: the secrets of the namespace could not be read, and so nothing could be redacted)'];
  }
  return lastLines(reader, { namespace: input.namespace, signal: input.signal, blame, redactor });
}
