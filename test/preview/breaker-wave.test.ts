import fc from 'fast-check';
import { expect, test } from 'vitest';
import { breakerLimit } from '../../src/preview/breaker.js';
import { decide } from '../../src/preview/decide.js';
import type { Preview } from '../../src/preview/preview.js';
import { basePolicy, hourMs } from './model/world.js';
import { anInput, aRow, now, someFacts } from './samples.js';

interface Wave {
  rows: Map<number, Preview>;
  facts: Map<number, ReturnType<typeof someFacts>>;
  /** When each unexplained stop was decided. */
  stops: number[];
  clock: number;
  accepted: Set<number>;
}

function createWave(size: number): Wave {
  const iids = Array.from({ length: size }, (_, index) => index + 1);
  return {
    rows: new Map(iids.map((iid) => [iid, rowOf(iid)])),
    facts: new Map(iids.map((iid) => [iid, someFacts({ iid })])),
    stops: [],
    clock: now,
    accepted: new Set(),
  };
}

function rowOf(iid: number): Preview {
  const [member] = aRow().members;
  return aRow({
    slug: `shop-${iid}`,
    subject: `mr:7:${iid}`,
    members: member === undefined ? [] : [{ ...member, iid }],
  });
}

/** Decides one preview under a configuration that nobody's merge request passes any more. */
function decideOne(wave: Wave, iid: number): void {
  const others = [...wave.rows].filter(([other]) => other !== iid).map(([, row]) => row);
  const decision = decide(
    anInput({
      now: wave.clock,
      subject: `mr:7:${iid}`,
      facts: wave.facts.get(iid) ?? null,
      preview: wave.rows.get(iid) ?? null,
      policy: { ...basePolicy, ttlMs: 1_000 * hourMs, follow: { ...basePolicy.follow, targetBranches: ['mian'] } },
      breaker: {
        heldElsewhere: others.filter((row) => row.heldStop !== null).length,
        doneLastHour: wave.stops.filter((at) => at > wave.clock - hourMs).length,
        livedAtHourStart: wave.rows.size,
        accepted: wave.accepted.has(iid),
      },
    }),
  );
  const wasReady = wave.rows.get(iid)?.phase === 'ready';
  if (decision.preview !== null) {
    wave.rows.set(iid, decision.preview);
  }
  if (wasReady && decision.preview?.phase === 'stopping' && decision.preview.stopReason === 'unfollowed') {
    wave.stops.push(wave.accepted.has(iid) ? Number.NEGATIVE_INFINITY : wave.clock);
  }
}

const step = fc.record({
  act: fc.oneof(
    { arbitrary: fc.constant('decide' as const), weight: 12 },
    { arbitrary: fc.constantFrom('close' as const, 'accept' as const, 'wait' as const), weight: 1 },
  ),
  iid: fc.integer({ min: 1, max: 40 }),
});

test('a filter that suddenly passes nobody stops no more in an hour than the limit; ends and acceptances go on', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 40 }), fc.array(step, { minLength: 40, maxLength: 150 }), (size, steps) => {
      const wave = createWave(size);
      for (const { act, iid: any } of steps) {
        const iid = 1 + (any % size);
        if (act === 'close') {
          wave.facts.set(iid, someFacts({ iid, state: 'closed' }));
        } else if (act === 'accept') {
          wave.accepted.add(iid);
        } else if (act === 'wait') {
          wave.clock += hourMs / 3;
        }
        decideOne(wave, iid);
        const inLastHour = wave.stops.filter((at) => at > wave.clock - hourMs).length;
        expect(inLastHour).toBeLessThanOrEqual(breakerLimit(size));
        const isDue = wave.facts.get(iid)?.state === 'closed' || wave.accepted.has(iid);
        expect(wave.rows.get(iid)?.phase === 'ready' && isDue).toBe(false);
      }
    }),
    { numRuns: 100 },
  );
});

test('once more are held than the limit, none goes until a person accepts or the cause is mended', () => {
  const wave = createWave(10);
  for (let iid = 1; iid <= 10; iid += 1) {
    decideOne(wave, iid);
  }
  const held = () => [...wave.rows.values()].filter((row) => row.heldStop !== null).length;
  expect(held()).toBe(7);
  wave.clock += 5 * hourMs;
  for (let iid = 1; iid <= 10; iid += 1) {
    decideOne(wave, iid);
  }
  expect(held()).toBe(7);
});
