import { breakerLimit } from '../../preview/breaker.js';
import { desire } from '../../preview/desire.js';
import type { MergeRequestFacts, Wish } from '../../preview/facts.js';
import type { Policy } from '../../preview/policy.js';
import type { Instant, Phase, StopReason } from '../../preview/preview.js';
import { type CheckResult, ok, warning } from './check-result.js';

/** A merge request that is known, with the newest incarnation of its preview. */
export interface KnownSubject {
  /** `mr:7:42` or `group:store:feature`; absent: the merge request's own. */
  subject?: string;
  projectId: number;
  iid: number;
  facts: MergeRequestFacts | null;
  wishes: Wish[];
  /** null: it never had one. */
  preview: { slug: string; phase: Phase; stopReason: StopReason | null; createdAt: Instant } | null;
}

export interface Plan {
  /** Merge requests that would get a preview, as `acme!42`, in order. */
  starts: string[];
  /** Previews that would be stopped, with the reason. */
  stops: { slug: string; reason: StopReason; detail: string | null }[];
  /** Whether those stops are more than the breaker lets pass, so that they are held until a person accepts them. */
  held: boolean;
  /** Living previews whose files it would have rendered again; null: that cannot be told. */
  renders: number | null;
}

/**
 * What a configuration would start and stop, by what is known of the merge requests now. Only what the configuration
 * causes is told: a merge request that ended, and a preview that a person stopped, ends or stays away whatever it says.
 */
export function planChange(
  policyFor: (projectId: number) => Policy | null,
  input: { subjects: readonly KnownSubject[]; now: number },
  groupOf: (subject: KnownSubject) => string | null = () => null,
): Plan {
  const plan: Plan = { starts: [], stops: [], held: false, renders: null };
  let living = 0;
  const linkedPreviews: { subject: KnownSubject; lives: boolean; wanted: ReturnType<typeof desire> }[] = [];
  const linked = new Set(input.subjects.flatMap((each) => (isLinked(each) ? [referenceOf(each)] : [])));
  for (const subject of input.subjects) {
    const policy = policyFor(subject.projectId);
    const group = groupOf(subject);
    const isShown = group !== null && !isLinked(subject) && linked.has(referenceOf(subject));
    if (isShown && subject.preview === null) continue;
    const movesInto = group !== null && !isLinked(subject) && subject.preview !== null ? { linkedTo: group } : {};
    const about = { preview: subject.preview, ...movesInto };
    const isLeft = isLinked(subject) && group !== subject.subject?.split(':')[1];
    const wanted = isLeft ? leavesGroup : desire(policy, subject.facts, subject.wishes, input.now, about);
    const lives =
      subject.preview !== null && subject.preview.phase !== 'stopped' && subject.preview.phase !== 'stopping';
    if (isLinked(subject)) {
      // It stops when none of them is left.
      linkedPreviews.push({ subject, lives, wanted });
      continue;
    }
    if (lives) living += 1;
    if (wanted === null) continue;
    if (lives && !wanted.runs && !wanted.explained) {
      plan.stops.push({ slug: subject.preview?.slug ?? '', reason: wanted.reason, detail: wanted.detail });
    }
    if (!lives && wanted.runs && policy !== null && mayBegin(subject)) {
      plan.starts.push(`${policy.project}!${subject.iid}`);
    }
  }
  for (const name of new Set(linkedPreviews.map(({ subject }) => subject.subject))) {
    const members = linkedPreviews.filter(({ subject }) => subject.subject === name);
    const [first] = members;
    if (first === undefined || !first.lives) continue;
    living += 1;
    const refused = members.flatMap(({ wanted }) =>
      wanted === null || wanted.runs || wanted.explained ? [] : [wanted],
    );
    const [stop] = refused.length === members.length ? refused : [];
    if (stop !== undefined) {
      plan.stops.push({ slug: first.subject.preview?.slug ?? '', reason: stop.reason, detail: stop.detail });
    }
  }
  return { ...plan, held: plan.stops.length > breakerLimit(living) };
}

const leavesGroup = {
  runs: false,
  reason: 'unfollowed',
  explained: false,
  needsReading: false,
  at: null,
  by: null,
  detail: 'its project takes part in other linked previews, or none',
} as const;

/** A merge request of a preview that several share. */
function isLinked({ subject }: KnownSubject): boolean {
  return subject?.startsWith('group:') === true;
}

function referenceOf({ projectId, iid }: KnownSubject): string {
  return `${projectId}!${iid}`;
}

/** What was stopped by a filter begins again when the filter passes; other ends need more than a configuration. */
function mayBegin(subject: KnownSubject): boolean {
  if (subject.facts?.sha === null) return false;
  if (subject.preview === null) return true;
  const { phase, stopReason } = subject.preview;
  return phase === 'stopped' && (stopReason === 'label' || stopReason === 'unfollowed');
}

const mostNamed = 5;

/** The plan as the line of a check. */
export function formatPlan(plan: Plan): Omit<CheckResult, 'name'> {
  const starts = `would start ${plan.starts.length}${named(plan.starts)}`;
  const stops = `stop ${plan.stops.length}${named(plan.stops.map((stop) => `${stop.slug}: ${stop.detail ?? stop.reason}`))}`;
  const renders =
    plan.renders === null || plan.renders === 0 ? '' : ` It would render ${plan.renders} again, a few at a time.`;
  const found = `This configuration ${starts} and ${stops}.${renders}`;
  if (plan.stops.length === 0) return ok(found);
  const fate = plan.held
    ? 'So many are held until a person accepts them (mayfly breaker accept).'
    : 'They are stopped at once.';
  return warning(found, fate);
}

function named(names: readonly string[]): string {
  if (names.length === 0) return '';
  const rest = names.length > mostNamed ? `, and ${names.length - mostNamed} more` : '';
  return ` (${names.slice(0, mostNamed).join('; ')}${rest})`;
}
