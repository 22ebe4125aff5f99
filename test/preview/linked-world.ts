import { decide, neededReads } from '../../src/preview/decide.js';
import type { DecideInput, Decision } from '../../src/preview/decision.js';
import { rendered } from '../../src/preview/deployment.js';
import type { GateFact, GateReading, MergeRequestFacts, Observation, Wish } from '../../src/preview/facts.js';
import type { Baseline, Linked, LinkedProject } from '../../src/preview/linked.js';
import { linkedSlugs } from '../../src/preview/naming.js';
import type { Policy } from '../../src/preview/policy.js';
import type { Preview } from '../../src/preview/preview.js';
import { basePolicy } from './model/world.js';
import { someFacts } from './samples.js';

export const shop = 7;
export const cart = 8;
const branch = 'feature';

export const groupPolicy: Policy = {
  ...basePolicy,
  project: 'store',
  nameTemplate: '{{group}}-{{branchSlug}}',
};

/** Two projects of a group with a GitLab in memory, and the loop of reads and one decision that the manager runs. */
export interface LinkedWorld {
  now: number;
  projects: LinkedProject[];
  policy: Policy | null;
  mergeRequests: Map<string, MergeRequestFacts>;
  /** Commits of the target branches, the newest first. */
  mains: Map<number, string[]>;
  pipelines: Map<string, GateReading>;
  wishes: Wish[];
  row: Preview | null;
  /** Gates that were remembered. */
  open: GateFact[];
  /** GitLab shows no target branch. */
  isMute: boolean;
  /** Names of projects that GitLab has never shown, and ids of members that may be of those. */
  missing: string[];
  unknown: number[];
  asked: string[];
  everCommitted: boolean;
}

export function createLinkedWorld(): LinkedWorld {
  return {
    now: 1_700_000_000_000,
    projects: [
      { projectId: shop, policy: { ...basePolicy, project: 'shop' } },
      { projectId: cart, policy: { ...basePolicy, project: 'cart' } },
    ],
    policy: groupPolicy,
    mergeRequests: new Map(),
    mains: new Map([
      [shop, [shaOf('main-shop')]],
      [cart, [shaOf('main-cart')]],
    ]),
    pipelines: new Map(),
    wishes: [],
    row: null,
    open: [],
    isMute: false,
    missing: [],
    unknown: [],
    asked: [],
    everCommitted: false,
  };
}

export function tick(world: LinkedWorld, ms = 1_000): void {
  world.now += ms;
}

export function openMergeRequest(
  world: LinkedWorld,
  projectId: number,
  iid: number,
  change: Partial<MergeRequestFacts> = {},
): void {
  tick(world);
  const at = { createdAt: world.now, updatedAt: world.now, lastPushAt: world.now };
  const own = { projectId, iid, sourceProjectId: projectId, sourceBranch: branch, sha: shaOf(`${projectId}-${iid}-1`) };
  world.mergeRequests.set(`${projectId}!${iid}`, someFacts({ ...own, ...at, ...change }));
}

export function change(world: LinkedWorld, projectId: number, iid: number, to: Partial<MergeRequestFacts>): void {
  tick(world);
  const known = world.mergeRequests.get(`${projectId}!${iid}`);
  if (known === undefined) throw new Error('no such merge request');
  world.mergeRequests.set(`${projectId}!${iid}`, { ...known, updatedAt: world.now, ...to });
}

export function push(world: LinkedWorld, projectId: number, iid: number, name: string): string {
  const sha = shaOf(name);
  change(world, projectId, iid, { sha, lastPushAt: world.now + 1_000 });
  return sha;
}

export function end(world: LinkedWorld, projectId: number, iid: number, state: 'merged' | 'closed'): void {
  change(world, projectId, iid, { state, endedAt: world.now + 1_000 });
  if (state === 'merged') commit(world, projectId, `merge-${projectId}-${iid}-${world.now}`);
}

export function commit(world: LinkedWorld, projectId: number, name: string): string {
  const sha = shaOf(name);
  world.mains.set(projectId, [sha, ...(world.mains.get(projectId) ?? [])]);
  return sha;
}

export function pass(world: LinkedWorld, ...shas: string[]): void {
  for (const sha of shas) world.pipelines.set(sha, { state: 'open' });
}

/** Every commit that there is has passed. */
export function passAll(world: LinkedWorld): void {
  pass(world, ...[...world.mains.values()].flat());
  pass(world, ...[...world.mergeRequests.values()].flatMap(({ sha }) => (sha === null ? [] : [sha])));
}

export function wish(world: LinkedWorld, order: Pick<Wish, 'kind'> & Partial<Wish>): void {
  tick(world);
  world.wishes.push({ source: 'command', amountMs: null, at: world.now, by: 'alice', ...order });
}

export function inputOf(
  world: LinkedWorld,
  read: { reading?: DecideInput['reading']; gates?: readonly GateFact[]; linked?: Partial<Linked> } = {},
): DecideInput {
  const { row, policy } = world;
  const slugs = policy === null ? [] : linkedSlugs(policy, { branch, suffix: 'abc123' });
  return {
    now: world.now,
    subject: `group:store:${branch}`,
    facts: null,
    reading: read.reading ?? 'none',
    preview: row,
    policy,
    gates: [...world.open, ...(read.gates ?? [])],
    wishes: world.wishes,
    observation: observationOf(world),
    usage: { project: 0, total: 0, maxTotal: 200, ahead: 0, aheadElsewhere: 0 },
    breaker: { heldElsewhere: 0, doneLastHour: 0, livedAtHourStart: 5, accepted: false },
    slugs: slugs.map((slug) => ({ slug, taken: false, lastIncarnation: row?.incarnation ?? 0 })),
    branch: null,
    neverCommitted: !world.everCommitted,
    linked: {
      branch,
      suffix: 'abc123',
      projects: policy === null ? [] : world.projects,
      mergeRequests: [...world.mergeRequests.values()],
      missing: world.missing,
      unknown: world.unknown,
      unread: false,
      baselines: [],
      silent: [],
      ...read.linked,
    },
  };
}

function observationOf({ row, now }: LinkedWorld): Observation | null {
  if (row === null || row.wantedRevision === null) return null;
  const isGone = row.phase === 'stopping';
  const revision = isGone ? null : row.wantedRevision;
  const state = isGone ? 'gone' : row.phase === 'asleep' ? 'suspended' : 'healthy';
  return { revision, state, message: null, cause: null, at: now };
}

/** What the job does: asks as long as more is needed, then decides and saves. */
export function decideNow(world: LinkedWorld): Decision {
  const gates: GateFact[] = [];
  const baselines: Baseline[] = [];
  const silent: number[] = [];
  let reading: DecideInput['reading'] = 'none';
  for (let round = 0; round < 6; round += 1) {
    const needed = neededReads(inputOf(world, { reading, gates, linked: { baselines, silent } }), false);
    const { memberGates = [], baselines: lacking = [] } = needed;
    if (!needed.mergeRequest && memberGates.length === 0 && lacking.length === 0) break;
    if (needed.mergeRequest) reading = 'fresh';
    for (const { projectId, sha } of memberGates) gates.push(gateOf(world, projectId, sha));
    for (const projectId of lacking) {
      if (world.isMute) silent.push(projectId);
      else baselines.push(baselineOf(world, projectId, gates));
    }
  }
  const decision = decide(inputOf(world, { reading, gates, linked: { baselines, silent } }));
  for (const { projectId, sha, gate } of decision.openGates) {
    world.open.push({ projectId, sha, gate, reading: { state: 'open' } });
  }
  world.row = decision.preview;
  if (decision.needsCommit && world.row !== null && world.row.phase !== 'stopping') render(world, world.row);
  return decision;
}

/** Until nothing moves: what was written becomes healthy, what was removed is gone. */
export function settle(world: LinkedWorld): Preview | null {
  for (let round = 0; round < 10; round += 1) {
    const before = JSON.stringify(world.row);
    decideNow(world);
    if (JSON.stringify(world.row) === before) return world.row;
  }
  throw new Error(`does not settle: ${JSON.stringify(world.row)}`);
}

/** `7!1 ab12` of each member, and what it waits for. */
export function membersOf({ row }: LinkedWorld): string[] {
  return (row?.members ?? []).map(({ projectId, iid, wantedSha, next }) => {
    const waits = next === null ? '' : ` next ${nameOf(next.sha)} ${next.waitingFor}`;
    return `${projectId}!${iid ?? 'main'} ${wantedSha === null ? '-' : nameOf(wantedSha)}${waits}`;
  });
}

function gateOf(world: LinkedWorld, projectId: number, sha: string): GateFact {
  world.asked.push(`gate ${nameOf(sha)}`);
  return {
    projectId,
    sha,
    gate: 'pipeline',
    reading: world.pipelines.get(sha) ?? { state: 'waiting', detail: 'runs' },
  };
}

function baselineOf(world: LinkedWorld, projectId: number, gates: GateFact[]): Baseline {
  world.asked.push(`main ${projectId}`);
  const shas = world.mains.get(projectId) ?? [];
  const passed = shas.find((sha) => world.pipelines.get(sha)?.state === 'open') ?? null;
  const [head = ''] = shas;
  gates.push(gateOf(world, projectId, head));
  return { projectId, branch: 'main', head, passed };
}

function render(world: LinkedWorld, row: Preview): void {
  world.everCommitted = true;
  const runs = row.members.map(({ projectId, iid, wantedSha }) => [projectId, iid, wantedSha]);
  const revision = JSON.stringify([row.incarnation, runs, row.redeployedAt, row.wantAsleep]);
  world.row = rendered(row, { revision, url: row.url }, world.now);
}

const names = new Map<string, string>();

export function shaOf(name: string): string {
  const sha = Buffer.from(name).toString('hex').padEnd(40, '0').slice(0, 40);
  names.set(sha, name);
  return sha;
}

function nameOf(sha: string): string {
  return names.get(sha) ?? sha;
}
