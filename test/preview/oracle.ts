/**
 * What must hold in the end, worked out from GitLab's final state and the clock alone. Written from the contracts and
 * without a line of src/preview: it knows no rows, no phases that lead to one another, no events.
 */

interface Word {
  at: number;
  says: 'stop' | 'start' | 'reopened';
  source: 'command' | 'git' | 'gitlab';
}

/** The final state of one merge request, and everything that people ever said about its preview. */
export interface FinalState {
  state: 'opened' | 'closed' | 'merged';
  endedAt: number | null;
  iid: number;
  sha: string;
  labels: string[];
  draft: boolean;
  createdAt: number;
  lastPushAt: number;
  lastReopenedAt: number | null;
  /** Bodies of its comments. */
  comments: { at: number; body: string }[];
  /** Removals and restorations of its file by people. */
  branchActs: { at: number; removed: boolean }[];
  headIsGreen: boolean;
  headIsRed: boolean;
  headHasImage: boolean;
  /** What the configuration asks for beside a green pipeline. */
  needs: { image: boolean; approval: boolean };
  /** Keys of values that comments may set. */
  settable: string[];
  /** Shas that every gate let pass while they were the head: while the head waits, one of them may run. */
  greenHeads: string[];
}

/** What the configuration says of the time that previews live. */
export interface LifetimeRules {
  ttlMs: number;
  maxMs: number;
  keepAfterMergeMs: number;
}

export type Expected =
  | { lives: false; reason: 'merged' | 'closed' | 'command' | 'git' | 'unfollowed' | 'label' | 'expired' }
  /** It may be kept after the merge until then, as it was deployed; or it was not deployed, and ended. */
  | { lives: 'perhaps'; until: number; mayRun: string[] }
  | {
      lives: true;
      expiresAt: number;
      pinned: boolean;
      head: string;
      headMayRun: boolean;
      waitsFor: string | null;
      mayRunInstead: string[];
      /** What was set last, of each key. */
      values: Record<string, number>;
      /** The last order to redeploy. */
      redeployedAt: number | null;
    };

const dayMs = 24 * 60 * 60 * 1000;

/** `bornAt`: since when the newest incarnation lives, which history alone tells; null: there never was one. */
export function oracle(final: FinalState, rules: LifetimeRules, bornAt: number | null, now: number): Expected {
  if (final.state === 'closed') {
    return { lives: false, reason: 'closed' };
  }
  const said = words(final).sort((a, b) => a.at - b.at);
  const last = said.at(-1);
  const pin = pinning(final, said);
  const longest = Math.max((bornAt ?? now) + rules.maxMs, pin.releasedAt + rules.ttlMs);
  const isDraft = final.draft && said.filter(({ source }) => source !== 'git').at(-1)?.says !== 'start';
  if (final.state === 'merged') {
    const endedAt = final.endedAt ?? 0;
    const kept = endedAt + rules.keepAfterMergeMs;
    if (last?.says === 'stop') {
      const isForTheRest = last.source === 'command' && last.at >= endedAt && last.at < kept;
      return { lives: false, reason: isForTheRest ? 'command' : 'merged' };
    }
    const until = pin.pinned ? kept : Math.min(kept, longest);
    const isRefused = isDraft || final.labels.includes('no-preview');
    return now >= until || isRefused
      ? { lives: false, reason: 'merged' }
      : { lives: 'perhaps', until, mayRun: [...final.greenHeads] };
  }
  if (last?.says === 'stop') {
    return { lives: false, reason: last.source === 'git' ? 'git' : 'command' };
  }
  // A member who asks for it does not wait until it is no draft any more.
  if (isDraft) {
    return { lives: false, reason: 'unfollowed' };
  }
  if (final.labels.includes('no-preview')) {
    return { lives: false, reason: 'label' };
  }
  const { newest, end } = endOfLife(final, said, rules.ttlMs);
  const expiresAt = Math.min(end, longest);
  // Whoever uses it after its longest life gets the next one.
  if (!pin.pinned && (now >= end || (now >= longest && newest <= longest))) {
    return { lives: false, reason: 'expired' };
  }
  const waitsFor = awaited(final);
  return {
    lives: true,
    expiresAt,
    pinned: pin.pinned,
    head: final.sha,
    headMayRun: waitsFor === null,
    waitsFor,
    mayRunInstead: waitsFor === null ? [] : final.greenHeads,
    values: valuesOf(final),
    redeployedAt: final.comments.findLast(({ body }) => body === '/preview redeploy')?.at ?? null,
  };
}

function valuesOf(final: FinalState): Record<string, number> {
  const values: Record<string, number> = {};
  for (const { body } of final.comments) {
    const [, key = '', number] = /^\/preview (?:set|unset) (\w+)(?:=(\d+))?$/.exec(body) ?? [];
    if (final.settable.includes(key) && number !== undefined) {
      values[key] = Number(number);
    } else {
      delete values[key];
    }
  }
  return values;
}

/** Which gate is told: a pipeline that failed, then a person who has to act, then what comes by itself. */
function awaited(final: FinalState): string | null {
  if (final.headIsRed) {
    return 'pipeline';
  }
  if (final.needs.approval && !final.comments.some(({ body }) => body === `/preview approve ${final.sha}`)) {
    return 'approval';
  }
  if (!final.headIsGreen) {
    return 'pipeline';
  }
  return final.needs.image && !final.headHasImage ? 'image' : null;
}

function words(final: FinalState): Word[] {
  const said: Word[] = [];
  if (final.lastReopenedAt !== null) {
    said.push({ at: final.lastReopenedAt, says: 'reopened', source: 'gitlab' });
  }
  for (const { at, body } of final.comments) {
    if (body === '/preview stop') {
      said.push({ at, says: 'stop', source: 'command' });
    }
    if (body === '/preview start') {
      said.push({ at, says: 'start', source: 'command' });
    }
  }
  for (const { at, removed } of final.branchActs) {
    said.push({ at, says: removed ? 'stop' : 'start', source: 'git' });
  }
  return said;
}

/** Whether the last that was said of pinning is that it is, and when a pin was last taken back. */
function pinning(final: FinalState, said: Word[]): { pinned: boolean; releasedAt: number } {
  const ends = said.flatMap(({ at, says, source }) => {
    const word = says === 'reopened' ? 'reopened' : says === 'stop' && source === 'command' ? 'stop' : null;
    return word === null ? [] : [{ at, word }];
  });
  const orders = final.comments.flatMap(({ at, body }) => {
    const [, word] = /^\/preview (pin|unpin)$/.exec(body) ?? [];
    return word === undefined ? [] : [{ at, word }];
  });
  let pinned = false;
  let releasedAt = Number.NEGATIVE_INFINITY;
  for (const { at, word } of [...ends, ...orders].sort((a, b) => a.at - b.at)) {
    if (word === 'reopened') {
      releasedAt = Number.NEGATIVE_INFINITY;
    }
    if (word === 'unpin' && pinned) {
      releasedAt = at;
    }
    pinned = word === 'pin';
  }
  return { pinned, releasedAt };
}

function endOfLife(final: FinalState, said: Word[], ttlMs: number): { newest: number; end: number } {
  let newest = Math.max(final.createdAt, final.lastPushAt);
  let end = 0;
  for (const { at } of said) {
    newest = Math.max(newest, at);
  }
  for (const { at, body } of final.comments) {
    if (/^\/preview (?:approve|redeploy|set|unset|pin|unpin|wake)\b/.test(body)) {
      newest = Math.max(newest, at);
    }
    const days = /^\/preview extend (\d+)d$/.exec(body)?.[1];
    if (days !== undefined) {
      newest = Math.max(newest, at);
      end = Math.max(end, at + Number(days) * dayMs);
    }
  }
  return { newest, end: Math.max(end, newest + ttlMs) };
}
