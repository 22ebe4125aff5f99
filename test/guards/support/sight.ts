import { expect } from 'vitest';
import { until } from '../../support/until.js';
import type { GuardWorld } from './guard-world.js';

/** The breaker as the API shows it. */
export interface ShownBreaker {
  open: boolean;
  blockedReason: string | null;
  held: { slug: string; incarnation: number; reason: string }[];
  agents: {
    name: string;
    breaker: {
      open: boolean;
      reason: string | null;
      pending: { slug: string; incarnation: number }[];
    } | null;
  }[];
}

export interface ShownPreview {
  slug: string;
  incarnation: number;
  phase: string;
  cause: string | null;
  message: string | null;
  stopReason: string | null;
  heldStop: { reason: string; since: string } | null;
  unknownSince: string | null;
}

/** Asks the manager's API as an operator does. */
export async function callApi<T>(world: GuardWorld, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${world.manager().url}/api/v1${path}`, {
    headers: { authorization: `Bearer ${world.apiToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

export const shownBreaker = (world: GuardWorld): Promise<ShownBreaker> => callApi(world, '/breaker');

export const shownPreview = (world: GuardWorld, slug: string): Promise<ShownPreview> =>
  callApi(world, `/previews/${slug}`);

/** The value of a metric of the manager with exactly these labels; null: there is none. */
export async function metric(
  world: GuardWorld,
  name: string,
  labels: Record<string, string> = {},
): Promise<number | null> {
  const text = await (await fetch(`${world.manager().metricsUrl}/metrics`)).text();
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  for (const line of text.split('\n')) {
    const match = /^(?<name>\w+)(?:\{(?<labels>[^}]*)\})? (?<value>\S+)$/.exec(line);
    if (match?.groups?.name !== name) continue;
    const given = (match.groups.labels ?? '').split(',').filter((each) => each !== '');
    if (wanted.every((each) => given.includes(each))) return Number(match.groups.value);
  }
  return null;
}

/** Waits until the agent's breaker says why it holds, in the API, in the metric and in the agent's log. */
export async function expectAgentHolds(world: GuardWorld, reason: string, mark: number): Promise<void> {
  const { name } = world.agentOptions;
  await until(
    `the agent holds: ${reason}`,
    async () => {
      const shown = (await shownBreaker(world)).agents.find((agent) => agent.name === name)?.breaker;
      return shown?.open === true && shown.reason === reason;
    },
    { deadlineMs: 20_000, explain: world.log.tail },
  );
  expect((await shownBreaker(world)).open).toBe(true);
  expect(await metric(world, 'mayfly_breaker_open', { where: `agent:${name}`, reason })).toBe(1);
  const said =
    reason === 'limit'
      ? world.log.find('deletions held', mark)
      : world.log.find('branch not followed', mark).filter((line) => line.reason === reason);
  expect(said.length, `the agent's log says ${reason}`).toBeGreaterThan(0);
}

/** Waits until the manager writes nothing, and says why in the API, in the metric and in its log. */
export async function expectManagerBlocked(world: GuardWorld, words: RegExp, mark: number): Promise<void> {
  await until('the manager writes nothing', async () => words.test((await shownBreaker(world)).blockedReason ?? ''), {
    deadlineMs: 20_000,
    explain: world.log.tail,
  });
  expect(await metric(world, 'mayfly_breaker_open', { where: 'manager', reason: 'writing-blocked' })).toBe(1);
  const lines = world.log.find('nothing is written to the branch', mark);
  expect(lines.some(({ reason }) => words.test(String(reason)))).toBe(true);
}

/** Asserts that the manager holds so many stops for this reason, in the API, in the metric and on the preview. */
export async function expectManagerHolds(world: GuardWorld, count: number, reason: string): Promise<ShownBreaker> {
  const breaker = await shownBreaker(world);
  expect(breaker.held.map((held) => held.reason)).toEqual(Array.from({ length: count }, () => reason));
  expect(breaker.open).toBe(true);
  expect(await metric(world, 'mayfly_breaker_open', { where: 'manager', reason: 'limit' })).toBe(1);
  const [held] = breaker.held;
  expect((await shownPreview(world, held?.slug ?? '')).heldStop?.reason).toBe(reason);
  return breaker;
}
