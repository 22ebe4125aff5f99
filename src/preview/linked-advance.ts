import type { DecideInput, NeededReads, OpenGate } from './decision.js';
import type { MergeRequestFacts } from './facts.js';
import { isFork } from './follow.js';
import { type GatesState, judgeGates } from './gate.js';
import { transition } from './lifecycle.js';
import { hasEnded, type Linked, type LinkedProject, takingPart } from './linked.js';
import type { Member, NextSha, Preview } from './preview.js';
import { slotIsFree } from './quota.js';
import { approves, isApproved, startedBy } from './wishes.js';

type LinkedInput = DecideInput & { linked: Linked };

/** One member as it should be, and how its newest sha stands. */
interface Place {
  member: Member;
  /** The sha that it is to have; null: nobody can say, or GitLab has none. */
  target: string | null;
  /** Of `target`; null: it has that sha already. */
  gates: GatesState | null;
  /** `target` is what somebody pushed to a fork. */
  fork: boolean;
  /** A merge request ended or began, and the target branch must be looked at first. */
  lacksBaseline: boolean;
}

/**
 * The row's way to the newest shas of all members, each through its own gates. A preview begins when every member has a
 * sha that passed; after that each moves by itself, and one that waits keeps the sha that it has.
 */
export function advanceLinked(row: Preview, input: LinkedInput): Preview {
  if (row.phase === 'stopping' || row.phase === 'stopped' || input.policy === null || isOver(input)) {
    return row;
  }
  const places = placesOf(row.members, row.slug, input);
  if (row.phase !== 'waiting') {
    return moveOn(row, places, input);
  }
  if (!isWhole(places, input)) {
    return wait(row, places, input);
  }
  return slotIsFree(input.policy, input.usage) ? deploy(row, places, input) : wait(row, places, input);
}

/** What must be read before more can be decided. `row` null: an incarnation could begin. */
export function linkedReads(
  row: Preview | null,
  input: LinkedInput,
): Pick<NeededReads, 'memberGates' | 'baselines' | 'images'> {
  if (isOver(input)) {
    return { memberGates: [], baselines: [], images: [] };
  }
  const places = placesOf(row?.members ?? [], row?.slug ?? null, input);
  const closed = places.filter(({ gates }) => gates !== null && gates.closed !== null);
  const questions = closed.filter(({ gates }) => gates?.needsPipeline === true);
  return {
    memberGates: questions.map(({ member, target }) => ({ ...keyOf(member), sha: target ?? '' })),
    baselines: baselinesToRead(row, places, input),
    // A preview that has not begun has no row in which it is told what it waits for.
    images:
      row === null
        ? []
        : closed.flatMap(({ member: { projectId }, target, gates }) =>
            (gates?.imagesToLookFor ?? []).map((image) => ({ projectId, sha: target ?? '', image })),
          ),
  };
}

/** Gates that are open for what the members run or are to run next. */
export function linkedOpenGates(row: Preview, input: LinkedInput): OpenGate[] {
  if (isOver(input)) {
    return [];
  }
  return placesOf(row.members, row.slug, input).flatMap(({ member, target }) =>
    [...new Set([target, member.wantedSha])].flatMap((sha) => {
      const open = sha === null ? [] : (gatesOf(member, sha, row.slug, input)?.open ?? []);
      return open.map((gate) => ({ projectId: member.projectId, sha: sha ?? '', gate }));
    }),
  );
}

/** Every project of the group is there with a sha that may run: a system without one of its services is another one. */
function isWhole(places: readonly Place[], { linked }: LinkedInput): boolean {
  return linked.missing.length === 0 && places.every(isReady);
}

/** All have ended, and what runs is kept as it is for a while. */
function isOver({ facts }: LinkedInput): boolean {
  return facts !== null && hasEnded(facts);
}

function keyOf({ projectId, iid }: Member): Pick<Member, 'projectId' | 'iid'> {
  return { projectId, iid };
}

function placesOf(members: readonly Member[], slug: string | null, input: LinkedInput): Place[] {
  const live = takingPart(input.linked, startedBy(input.facts, input.wishes) !== null);
  const places: Place[] = input.linked.projects.flatMap((project) => {
    const own = live.filter(({ projectId }) => projectId === project.projectId);
    const before = members.filter(({ projectId }) => projectId === project.projectId);
    return own.length > 0 ? own.map((facts) => ofMergeRequest(facts, before)) : ofBaseline(project, before, input);
  });
  // Of a project that nobody knows now, what runs stays.
  const unknown = members.filter(({ projectId }) => input.linked.unknown.includes(projectId));
  const kept = unknown.map((member) => ({
    member,
    target: member.wantedSha,
    gates: null,
    fork: member.fork === true,
    lacksBaseline: false,
  }));
  return [...places, ...kept].map((place) => ({
    ...place,
    gates: pending(place) ? gatesOf(place.member, place.target, slug, input) : null,
  }));
}

/** One that joins takes over what its project runs until its own sha has passed. */
function ofMergeRequest(facts: MergeRequestFacts, before: readonly Member[]): Place {
  const { projectId, iid, sha } = facts;
  const known = before.find((member) => member.iid === iid);
  const { wantedSha = null, deployedSha = null, fork } = before[0] ?? {};
  const member = known ?? withFork({ projectId, iid, wantedSha, deployedSha, next: null }, fork === true);
  return { member, target: sha, gates: null, fork: isFork(facts), lacksBaseline: false };
}

function ofBaseline({ projectId }: LinkedProject, before: readonly Member[], { linked }: LinkedInput): Place[] {
  const known = before.find(({ iid }) => iid === null);
  const read = linked.baselines.find((each) => each.projectId === projectId);
  if (read === undefined) {
    if (known !== undefined || before.every(({ wantedSha }) => wantedSha === null)) {
      const member = known ?? { projectId, iid: null, wantedSha: null, deployedSha: null, next: null };
      const lacksBaseline = member.wantedSha === null;
      const fork = member.next === null && member.fork === true;
      return [{ member, target: member.next?.sha ?? member.wantedSha, gates: null, fork, lacksBaseline }];
    }
    // Those that left stay as they are until it is known what takes their place.
    const stays = { gates: null, lacksBaseline: true } as const;
    return before.map((member) => ({ ...stays, member, target: member.wantedSha, fork: member.fork === true }));
  }
  const { wantedSha = null, deployedSha = null, next = null, fork } = known ?? before[0] ?? {};
  // What was merged is in the branch already: it stays until the branch itself has passed, and never goes back before it.
  const isMerged = linked.mergeRequests.some(
    (each) => each.projectId === projectId && each.state === 'merged' && each.sha === wantedSha,
  );
  const kept = isMerged ? wantedSha : (read.passed ?? wantedSha);
  // What a fork left behind is trusted once the branch itself has it.
  const isForks = fork === true && kept === wantedSha && kept !== read.passed;
  const member = withFork({ projectId, iid: null, wantedSha: kept, deployedSha, next, branch: read.branch }, isForks);
  return [{ member, target: read.head, gates: null, fork: isForks && kept === read.head, lacksBaseline: false }];
}

function withFork({ fork: _, ...member }: Member, fork: boolean): Member {
  return fork ? { ...member, fork } : member;
}

function pending(place: Place): place is Place & { target: string } {
  return place.target !== null && place.target !== place.member.wantedSha;
}

function gatesOf(member: Member, sha: string, slug: string | null, input: LinkedInput): GatesState | null {
  const { linked } = input;
  const policy = linked.projects.find(({ projectId }) => projectId === member.projectId)?.policy;
  if (policy === undefined) {
    return null;
  }
  const { projectId, iid } = member;
  const approved = isApproved(input.wishes, { projectId, sha });
  const own = linked.mergeRequests.find((each) => each.projectId === projectId && each.iid === iid);
  const { sourceProjectId } = own ?? { sourceProjectId: projectId };
  const facts = { projectId, iid: iid ?? 0, sourceBranch: linked.branch, sourceProjectId };
  return iid === null
    ? judgeGates(
        { policy: baselinePolicy(policy), facts: { ...facts, sourceBranch: member.branch ?? '' }, slug, sha, approved },
        input.gates,
      )
    : judgeGates({ policy, facts, slug, sha, approved }, input.gates);
}

/** What is merged was approved, and has no image that is named after a merge request. */
export function baselinePolicy<P extends LinkedProject['policy']>(policy: P): P {
  const gateImages = policy.gateImages.filter((template) => !/\{\{\s*(?:iid|slug)\s*\}\}/.test(template));
  return { ...policy, gateImages, gateApproval: 'none' };
}

function isOpen({ gates }: Place): boolean {
  return gates === null || gates.closed === null;
}

/** It has a sha that may run: its newest, or one that passed before. */
function isReady(place: Place): boolean {
  return (place.target !== null && isOpen(place) && !place.lacksBaseline) || place.member.wantedSha !== null;
}

function moved(place: Place, since: number): Member {
  const { member, target } = place;
  if (isOpen(place)) {
    if (target === null) return { ...member, next: null };
    return withFork({ ...member, wantedSha: target, next: null }, place.fork);
  }
  return { ...member, next: nextOf(place, since) };
}

function moveOn(row: Preview, places: readonly Place[], input: LinkedInput): Preview {
  const members = places.map((place) => moved(place, input.now));
  const newShas = members.filter((member) => member.wantedSha !== null && !runsAlready(member, row.members));
  const after = sameOr(row, members);
  if (newShas.length === 0) {
    return after;
  }
  const approval = approvalOf(newShas, input);
  const deploying = { wantedRevision: null, edited: null, deployingSince: input.now };
  return transition(after, 'deploying', { ...deploying, ordered: approval });
}

function runsAlready({ projectId, wantedSha }: Member, members: readonly Member[]): boolean {
  return members.some((old) => old.projectId === projectId && old.wantedSha === wantedSha);
}

function deploy(row: Preview, places: readonly Place[], input: LinkedInput): Preview {
  const members = places.map((place) => moved(place, input.now));
  const ordered = approvalOf(members, input) ?? row.ordered;
  return transition({ ...row, members }, 'deploying', {
    wantedRevision: null,
    edited: null,
    deployingSince: input.now,
    ordered,
  });
}

function approvalOf(members: readonly Member[], { wishes }: LinkedInput): Preview['ordered'] {
  const wish = wishes.findLast((each) =>
    members.some(({ projectId, wantedSha }) => approves(each, { projectId, sha: wantedSha })),
  );
  return wish === undefined ? null : { kind: 'approve', by: wish.by };
}

/** Nothing of it runs yet: what each member has passed is decided anew when all have. */
function wait(row: Preview, places: readonly Place[], input: LinkedInput): Preview {
  const isForSlot = isWhole(places, input);
  const members = places.map((place): Member => {
    const { member, target } = place;
    const next = isForSlot ? slotNext(member, target, input.now) : isReady(place) ? null : nextOf(place, input.now);
    const { branch } = member;
    const none = { ...keyOf(member), wantedSha: null, deployedSha: null, next };
    return branch === undefined ? none : { ...none, branch };
  });
  const told = members.find(({ next }) => next?.stuck === true) ?? members.find(({ next }) => next !== null);
  const waitingFor = told?.next?.waitingFor ?? (input.linked.missing.length > 0 ? 'project' : 'pipeline');
  const after = sameOr(row, members);
  return row.waitingFor === waitingFor ? after : { ...after, waitingFor, waitingSince: input.now };
}

function slotNext(member: Member, sha: string | null, since: number): NextSha | null {
  if (sha === null) {
    return null;
  }
  const next = { sha, waitingFor: 'slot', since, detail: null, link: null, stuck: false } as const;
  return member.next?.sha === sha && member.next.waitingFor === 'slot' ? member.next : next;
}

function nextOf({ member, target, gates }: Place, since: number): NextSha | null {
  const closed = gates?.closed ?? null;
  if (target === null || closed === null) {
    return member.next;
  }
  const { kind: waitingFor, reading } = closed;
  const known = member.next?.sha === target && member.next.waitingFor === waitingFor ? member.next : null;
  if (known !== null && reading === null) {
    // GitLab cannot say now: what it said last stands.
    return known;
  }
  const { detail = null, link = null } = reading ?? {};
  return { sha: target, waitingFor, since: known?.since ?? since, detail, link, stuck: reading?.state === 'failed' };
}

function sameOr(row: Preview, members: Member[]): Preview {
  return JSON.stringify(members) === JSON.stringify(row.members) ? row : { ...row, members };
}

/**
 * Target branches are read when a merge request has left or a preview begins, and again whenever something else is
 * deployed anyway, so that a preview never changes because of them alone.
 */
function baselinesToRead(row: Preview | null, places: readonly Place[], { linked, preview }: LinkedInput): number[] {
  const isKnown = (projectId: number) =>
    linked.silent.includes(projectId) || linked.baselines.some((each) => each.projectId === projectId);
  const lacking = places.filter((place) => place.lacksBaseline);
  const begins = row === null || row.phase === 'waiting';
  const others = places.filter((place) => !place.lacksBaseline && place.member.iid !== null);
  if (begins && (linked.missing.length > 0 || !others.every(isReady))) {
    return [];
  }
  const redeploys = row !== null && preview !== null && row.redeployedAt !== preview.redeployedAt;
  const deploys = places.some(
    ({ member }) => member.iid !== null && member.wantedSha !== null && !runsAlready(member, preview?.members ?? []),
  );
  const wanted = redeploys || deploys ? places.filter(({ member }) => member.iid === null) : lacking;
  const projects = [...new Set(wanted.map(({ member }) => member.projectId))];
  return projects.filter((projectId) => !isKnown(projectId));
}
