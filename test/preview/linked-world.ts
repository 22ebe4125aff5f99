import { decide, neededReads } from '../../src/preview/decide.js';
import type { DecideInput, Decision } from '../../src/preview/decision.js';
import type { GateFact, GateReading, MergeRequestFacts, Wish } from '../../src/preview/facts.js';
import type { Baseline, Linked, LinkedProject } from '../../src/preview/linked.js';
import { linkedSlugs } from '../../src/preview/naming.js';
import type { Policy } from '../../src/preview/policy.js';
import type { Preview } from '../../src/preview/preview.js';
import { basePolicy, hourMs } from './model/world.js';
import { someFacts } from './samples.js';

export const shop = 7;
export const cart = 8;
export const branch = 'feature';
const start = 1_700_000_000_000;

export const groupPolicy: Policy = {
  ...basePolicy,
  project: 'store',
  nameTemplate: '{{group}}-{{branchSlug}}',
};

/** Two projects of a group with a GitLab in memory, and the loop of reads and one decision that the manager runs. */
export class LinkedWorld {
  now = start;
  projects: LinkedProject[] = [
    { projectId: shop, policy: { ...basePolicy, project: 'shop' } },
    { projectId: cart, policy: { ...basePolicy, project: 'cart' } },
  ];
  policy: Policy | null = groupPolicy;
  mergeRequests = new Map<string, MergeRequestFacts>();
  /** Commits of the target branches, the newest first. */
  mains = new Map<number, string[]>([
    [shop, [shaOf('main-shop')]],
    [cart, [shaOf('main-cart')]],
  ]);
  pipelines = new Map<string, GateReading>();
  wishes: Wish[] = [];
  row: Preview | null = null;
  /** Gates that were remembered. */
  open: GateFact[] = [];
  maxTotal = 200;
  /** GitLab shows no target branch. */
  isMute = false;
  asked: string[] = [];
  everCommitted = false;

  tick(ms = 1_000): void {
    this.now += ms;
  }

  open_(projectId: number, iid: number, change: Partial<MergeRequestFacts> = {}): MergeRequestFacts {
    this.tick();
    const sha = shaOf(`${projectId}-${iid}-1`);
    const at = { createdAt: this.now, updatedAt: this.now, lastPushAt: this.now };
    const facts = someFacts({ projectId, iid, sourceProjectId: projectId, sourceBranch: branch, sha, ...at, ...change });
    this.mergeRequests.set(`${projectId}!${iid}`, facts);
    return facts;
  }

  change(projectId: number, iid: number, change: Partial<MergeRequestFacts>): void {
    this.tick();
    const known = this.mergeRequests.get(`${projectId}!${iid}`);
    if (known === undefined) throw new Error('no such merge request');
    this.mergeRequests.set(`${projectId}!${iid}`, { ...known, updatedAt: this.now, ...change });
  }

  push(projectId: number, iid: number, name: string): string {
    const sha = shaOf(name);
    this.change(projectId, iid, { sha, lastPushAt: this.now + 1_000 });
    return sha;
  }

  end(projectId: number, iid: number, state: 'merged' | 'closed'): void {
    this.change(projectId, iid, { state, endedAt: this.now + 1_000 });
    if (state === 'merged') this.commit(projectId, `merge-${projectId}-${iid}-${this.now}`);
  }

  reopen(projectId: number, iid: number): void {
    this.change(projectId, iid, { state: 'opened', endedAt: null, lastReopenedAt: this.now + 1_000 });
  }

  commit(projectId: number, name: string): string {
    const sha = shaOf(name);
    this.mains.set(projectId, [sha, ...(this.mains.get(projectId) ?? [])]);
    return sha;
  }

  pass(...shas: string[]): void {
    for (const sha of shas) this.pipelines.set(sha, { state: 'open' });
  }

  /** Every commit that there is has passed. */
  passAll(): void {
    this.pass(...[...this.mains.values()].flat());
    this.pass(...[...this.mergeRequests.values()].flatMap(({ sha }) => (sha === null ? [] : [sha])));
  }

  wish(wish: Pick<Wish, 'kind'> & Partial<Wish>): void {
    this.tick();
    this.wishes.push({ source: 'command', amountMs: null, at: this.now, by: 'alice', ...wish });
  }

  input(linked: Partial<Linked>, gates: readonly GateFact[], reading: DecideInput['reading']): DecideInput {
    const projects = this.policy === null ? [] : this.projects;
    const slugs = this.policy === null ? [] : linkedSlugs(this.policy, { branch, suffix: 'abc123' });
    return {
      now: this.now,
      subject: `group:store:${branch}`,
      facts: null,
      reading,
      preview: this.row,
      policy: this.policy,
      gates: [...this.open, ...gates],
      wishes: this.wishes,
      observation:
        this.row?.wantedRevision == null
          ? null
          : {
              revision: this.row.phase === 'stopping' ? null : this.row.wantedRevision,
              state: this.row.phase === 'stopping' ? 'gone' : 'healthy',
              message: null,
              cause: null,
              at: this.now,
            },
      usage: { project: 0, total: 0, maxTotal: this.maxTotal, ahead: 0, aheadElsewhere: 0 },
      breaker: { heldElsewhere: 0, doneLastHour: 0, livedAtHourStart: 5, accepted: false },
      slugs: slugs.map((slug) => ({ slug, taken: false, lastIncarnation: this.row?.incarnation ?? 0 })),
      branch: null,
      neverCommitted: !this.everCommitted,
      linked: {
        branch,
        suffix: 'abc123',
        projects,
        mergeRequests: [...this.mergeRequests.values()],
        unread: false,
        baselines: [],
        silent: [],
        ...linked,
      },
    };
  }

  /** What the job does: asks as long as more is needed, then decides and saves. */
  decide(): Decision {
    const gates: GateFact[] = [];
    const baselines: Baseline[] = [];
    const silent: number[] = [];
    let reading: DecideInput['reading'] = 'none';
    for (let round = 0; round < 6; round += 1) {
      const needed = neededReads(this.input({ baselines, silent }, gates, reading), false);
      if (needed.mergeRequest) reading = 'fresh';
      for (const { projectId, sha } of needed.memberGates ?? []) gates.push(this.gate(projectId, sha));
      for (const projectId of needed.baselines ?? []) {
        if (this.isMute) silent.push(projectId);
        else baselines.push(this.baseline(projectId, gates));
      }
      if (!needed.mergeRequest && (needed.memberGates ?? []).length === 0 && (needed.baselines ?? []).length === 0) break;
    }
    const decision = decide(this.input({ baselines, silent }, gates, reading));
    for (const { projectId, sha, gate } of decision.openGates) {
      this.open.push({ projectId, sha, gate, reading: { state: 'open' } });
    }
    this.row = decision.preview;
    if (decision.needsCommit && this.row !== null && this.row.phase !== 'stopping') this.render(this.row);
    return decision;
  }

  /** Until nothing moves: what was written becomes healthy, what was removed is gone. */
  settle(): Preview | null {
    for (let round = 0; round < 10; round += 1) {
      const before = JSON.stringify(this.row);
      this.decide();
      if (JSON.stringify(this.row) === before) return this.row;
    }
    throw new Error(`does not settle: ${JSON.stringify(this.row)}`);
  }

  /** `7!1 ab12` of each member, and what it waits for. */
  members(): string[] {
    return (this.row?.members ?? []).map(({ projectId, iid, wantedSha, next }) => {
      const waits = next === null ? '' : ` next ${nameOf(next.sha)} ${next.waitingFor}`;
      return `${projectId}!${iid ?? 'main'} ${wantedSha === null ? '-' : nameOf(wantedSha)}${waits}`;
    });
  }

  private gate(projectId: number, sha: string): GateFact {
    this.asked.push(`gate ${nameOf(sha)}`);
    return { projectId, sha, gate: 'pipeline', reading: this.pipelines.get(sha) ?? { state: 'waiting', detail: 'runs' } };
  }

  private baseline(projectId: number, gates: GateFact[]): Baseline {
    this.asked.push(`main ${projectId}`);
    const shas = this.mains.get(projectId) ?? [];
    const passed = shas.find((sha) => this.pipelines.get(sha)?.state === 'open') ?? null;
    const [head = ''] = shas;
    gates.push(this.gate(projectId, head));
    return { projectId, branch: 'main', head, passed };
  }

  private render(row: Preview): void {
    this.everCommitted = true;
    const runs = row.members.map(({ projectId, iid, wantedSha }) => [projectId, iid, wantedSha]);
    this.row = { ...row, wantedRevision: JSON.stringify([row.incarnation, runs, row.redeployedAt]) };
  }
}

const names = new Map<string, string>();

export function shaOf(name: string): string {
  const sha = Buffer.from(name).toString('hex').padEnd(40, '0').slice(0, 40);
  names.set(sha, name);
  return sha;
}

export function nameOf(sha: string): string {
  return names.get(sha) ?? sha;
}

export { hourMs };
