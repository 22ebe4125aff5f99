import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsSlot } from '../../src/preview/lifecycle.js';
import { compareLives, compareWithOracle } from './model/compare.js';
import { histories, play, type Step, settle } from './model/history.js';
import { basePolicy, createWorld, type Fault, faults, gatedPolicy, hourMs } from './model/world.js';

// What is checked before a change lands must not fail by chance: there the histories are always the same.
if (process.env.CI !== undefined) fc.configureGlobal({ seed: 20_261_121 });

const roomy = { mergeRequests: 3, branchOf: (iid: number) => `feature-${iid}` };

function endsAsTheOracleSays(steps: Step[], fault: Fault | null, policy = basePolicy): void {
  const world = createWorld(policy, fault);
  play(world, steps, roomy);
  compareWithOracle(world);
}

function gatedEndsAsTheOracleSays(steps: Step[], fault: Fault | null): void {
  endsAsTheOracleSays(steps, fault, gatedPolicy);
}

const agingPolicy = {
  ...basePolicy,
  maxMs: 2 * basePolicy.ttlMs,
  warnMs: basePolicy.ttlMs / 4,
  keepAfterMergeMs: basePolicy.ttlMs / 2,
};

function agingEndsAsTheOracleSays(steps: Step[], fault: Fault | null): void {
  endsAsTheOracleSays(steps, fault, agingPolicy);
}

const daily = { windows: [{ days: [0, 1, 2, 3, 4, 5, 6], opens: 8 * 60, closes: 20 * 60 }], zone: 'UTC' };
const sleepyPolicies = [
  { ...basePolicy, sleep: { afterMs: 3 * hourMs, awake: null } },
  { ...basePolicy, sleep: { afterMs: null, awake: daily } },
  { ...basePolicy, sleep: { afterMs: 6 * hourMs, awake: daily } },
];

function sleepyEndsAsTheOracleSays(steps: Step[], fault: Fault | null): void {
  for (const policy of sleepyPolicies) {
    const world = createWorld(policy, fault);
    play(world, steps, roomy);
    compareWithOracle(world);
    // Then the clock alone goes on.
    for (let times = 0; times < 3; times += 1) {
      world.now += 5 * hourMs;
      settle(world);
      compareWithOracle(world);
    }
  }
}

/** Two slots for four merge requests, whose branches share one slug. */
function keepsTheLimit(steps: Step[], fault: Fault | null): void {
  const policy = { ...basePolicy, nameTemplate: '{{branchSlug}}', maxPreviews: 2, ttlMs: 20 * basePolicy.ttlMs };
  const world = createWorld(policy, fault);
  play(world, steps, { mergeRequests: 4, branchOf: (iid) => (iid % 2 === 0 ? 'fix/cart' : 'fix-cart') });
  const used = world.database.rows.filter((row) => holdsSlot(row.phase)).length;
  const isWaiting = world.database.rows.some((row) => row.waitingFor === 'slot');
  if (isWaiting && used < policy.maxPreviews) {
    throw new Error('does not hold: nobody waits beside a free slot');
  }
  compareLives(world);
}

describe('any history, then one catch-up', () => {
  test('ends as the oracle says', () => {
    fc.assert(
      fc.property(histories(120), (steps) => endsAsTheOracleSays(steps, null)),
      { numRuns: 600 },
    );
  });

  test('ends as the oracle says with every gate closed at first', () => {
    fc.assert(
      fc.property(histories(120), (steps) => endsAsTheOracleSays(steps, null, gatedPolicy)),
      { numRuns: 400 },
    );
  });

  test('ends as the oracle says where forks are approved and values set', () => {
    const follow = { ...basePolicy.follow, forks: 'approved' as const };
    const policy = { ...basePolicy, follow, settable: { replicas: 'integer' as const } };
    fc.assert(
      fc.property(histories(120), (steps) => endsAsTheOracleSays(steps, null, policy)),
      { numRuns: 400 },
    );
  });

  test('ends as the oracle says with pins, warnings, a longest life and a time after the merge', () => {
    fc.assert(
      fc.property(histories(120), (steps) => endsAsTheOracleSays(steps, null, agingPolicy)),
      { numRuns: 600 },
    );
  });

  test('ends as the oracle says with sleep after idleness and outside of hours', () => {
    fc.assert(
      fc.property(histories(120), (steps) => sleepyEndsAsTheOracleSays(steps, null)),
      { numRuns: 400 },
    );
  });

  test('keeps the limit and wastes no slot', () => {
    fc.assert(
      fc.property(histories(120), (steps) => keepsTheLimit(steps, null)),
      { numRuns: 300 },
    );
  });
});

/** What each deliberate fault breaks: it is not enough that something fails. */
const broken: Record<Fault, string> = {
  'drop-the-fence': 'differs from the oracle',
  'payload-wins': 'differs from the oracle',
  'tie-is-stale': 'differs from the oracle',
  'stale-slot': 'never more slots than the limit',
  'unknown-is-closed': 'only an end that happened ends a preview',
  'any-revision-counts': 'deployed means reported healthy',
  'gate-of-another-sha': 'never in Git before its gate',
  'image-of-another-sha': 'never in Git before its image',
  'approval-of-another-sha': 'differs from the oracle',
  'expiry-without-reading': 'nothing expires that was pushed to',
  'note-acts-twice': 'differs from the oracle',
  'gone-is-ignored': 'it does not settle',
  'warnings-are-forgotten': 'a warning at most once a term',
  'ages-are-forgotten': 'no end past the longest life',
  'sleep-is-not-due': 'differs from the oracle',
  'slot-is-taken-away': 'nobody is evicted',
  'file-stays': 'no file for a preview that ended',
};

describe('a deliberate fault is caught', () => {
  test.each(faults)('%s', (fault) => {
    const isGated = fault === 'image-of-another-sha' || fault === 'approval-of-another-sha';
    const isAging = fault === 'warnings-are-forgotten' || fault === 'ages-are-forgotten';
    const property =
      fault === 'stale-slot' || fault === 'slot-is-taken-away'
        ? keepsTheLimit
        : isGated
          ? gatedEndsAsTheOracleSays
          : isAging
            ? agingEndsAsTheOracleSays
            : fault === 'sleep-is-not-due'
              ? sleepyEndsAsTheOracleSays
              : endsAsTheOracleSays;
    const result = fc.check(
      fc.property(histories(120), (steps) => property(steps, fault)),
      { numRuns: 3_000, endOnFailure: true, seed: 42 },
    );
    expect(String(result.errorInstance)).toContain(broken[fault]);
  });
});
