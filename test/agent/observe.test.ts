import { afterEach, beforeEach, expect, test } from 'vitest';
import { createObserver, type Observer, type Sighting } from '../../src/agent/observe.js';
import { AppError } from '../../src/error/app-error.js';
import { type ObservationMessage, observationsSchema } from '../../src/protocol/observations.js';
import { eventually } from './support/eventually.js';

let batches: ObservationMessage[][];
let failures: string[];
let answer: (batch: ObservationMessage[]) => void;
let observer: Observer;
let control: AbortController;
let running: Promise<void>;

beforeEach(() => {
  batches = [];
  failures = [];
  answer = () => undefined;
  control = new AbortController();
  observer = createObserver(
    {
      async send(observations) {
        answer(observations);
        batches.push(observationsSchema.parse({ observations }).observations);
      },
      onFailure: (error) => failures.push((error as AppError).code),
    },
    7,
  );
  running = observer.run(control.signal);
});

afterEach(async () => {
  control.abort();
  await running;
});

function sighting(slug: string, state: Sighting['state'] = 'healthy', change: Partial<Sighting> = {}): Sighting {
  return { slug, incarnation: 1, revision: 'r', branchCommit: 'c', state, objects: [], diagnosis: null, ...change };
}

function away(): never {
  throw new AppError({ code: 'manager-unreachable', disposition: 'retry', publicMessage: '-' });
}

test('what comes together travels together, numbered', async () => {
  observer.report(sighting('a'));
  observer.report(sighting('b'));
  await eventually('a batch', () => batches.length > 0);
  expect(batches).toHaveLength(1);
  expect(batches[0]?.map(({ slug, seq }) => [slug, seq])).toEqual([
    ['a', [7, 1]],
    ['b', [7, 2]],
  ]);
});

test('the same is said once; of several only the newest', async () => {
  observer.report(sighting('a', 'applying'));
  observer.report(sighting('a', 'progressing'));
  observer.report(sighting('a', 'progressing', { branchCommit: 'later' }));
  await eventually('a batch', () => batches.length > 0);
  observer.report(sighting('a', 'progressing'));
  observer.report(sighting('b'));
  await eventually('another batch', () => batches.length > 1);
  expect(batches.map((batch) => batch.map(({ slug, state }) => `${slug} ${state}`))).toEqual([
    ['a progressing'],
    ['b healthy'],
  ]);
});

test('while the manager is away the newest of each is kept', async () => {
  answer = away;
  observer.report(sighting('a', 'applying'));
  await eventually('a failure', () => failures.length > 0);
  observer.report(sighting('b', 'applying'));
  observer.report(sighting('a', 'healthy'));
  answer = () => undefined;
  await eventually('a batch', () => batches.length > 0);
  expect(batches[0]?.map(({ slug, state }) => `${slug} ${state}`).sort()).toEqual(['a healthy', 'b applying']);
});

test('one message that is refused is dropped, and keeps no other', async () => {
  answer = (batch) => {
    if (batch.some(({ slug }) => slug === 'bad')) {
      throw new AppError({ code: 'manager-refused', disposition: 'stall', publicMessage: '-' });
    }
  };
  for (const slug of ['a', 'bad', 'b']) observer.report(sighting(slug));
  await eventually('both', () => batches.flat().length === 2);
  expect(batches.flat().map(({ slug }) => slug)).toEqual(['a', 'b']);
});

test('texts and lists are cut to what the protocol takes, what is unwell stays', async () => {
  const objects = Array.from({ length: 600 }, (_, index) => ({
    group: '',
    kind: 'Pod',
    name: `p${index}`,
    health: index === 599 ? ('Degraded' as const) : ('Healthy' as const),
    message: 'x'.repeat(9_000),
  }));
  const diagnosis = {
    cause: 'health' as const,
    object: null,
    sentence: 'y'.repeat(9_000),
    evidence: Array(99).fill('z'),
  };
  observer.report(sighting('a', 'degraded', { objects, diagnosis }));
  const [message] = await eventually('a batch', () => batches[0]);
  expect(message?.objects).toHaveLength(500);
  expect(message?.objects[0]?.name).toBe('p599');
});
