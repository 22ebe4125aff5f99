import { once } from 'node:events';
import { Agent, request } from 'undici';
import { spawnLoad } from './spawn-load.js';

/** What the sender is told; it sends from a process of its own, so that it does not wait for the stand-ins here. */
export interface DeliveryLoad {
  url: string;
  token: string;
  /** One each merge request; they take turns. */
  bodies: { object_attributes: Record<string, unknown> }[];
  perSecond: number;
  seconds: number;
  floodSize: number;
  connections: number;
  /** Sent first, one after the other, and not measured. */
  warmUp: number;
  /** Sent a second time with the key of the first, as GitLab does after a time-out. */
  repeated: number;
}

export interface DeliveryFigures {
  steadyMs: number[];
  floodMs: number[];
  floodPerSecond: number;
  /** Other than 202, or a repeated one whose id is not that of the first. */
  failed: number;
}

/** Keys of the sender's deliveries begin so; the stand-in's own do not. */
export const keyPrefix = 'bench-';

/** Sends it all, and answers what was measured. */
export async function sendDeliveries(load: DeliveryLoad): Promise<DeliveryFigures> {
  const child = spawnLoad(import.meta.url);
  child.send(load);
  const [figures] = (await once(child, 'message')) as [DeliveryFigures];
  child.disconnect();
  return figures;
}

function createSender(load: DeliveryLoad) {
  const agent = new Agent({ connections: load.connections, pipelining: 1 });
  const ids = new Map<number, number>();
  let failed = 0;
  return {
    failed: () => failed,
    close: () => agent.close(),
    async deliver(index: number): Promise<number> {
      const body = load.bodies[Math.abs(index) % load.bodies.length];
      const updated_at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
      const payload = JSON.stringify({ ...body, object_attributes: { ...body?.object_attributes, updated_at } });
      const startedAt = performance.now();
      const answer = await request(`${load.url}/webhooks/gitlab`, {
        method: 'POST',
        dispatcher: agent,
        headers: {
          'content-type': 'application/json',
          'x-gitlab-event': 'Merge Request Hook',
          'x-gitlab-token': load.token,
          'idempotency-key': `${keyPrefix}${index}`,
        },
        body: payload,
      });
      const { delivery } = (await answer.body.json()) as { delivery: number };
      const durationMs = performance.now() - startedAt;
      if (answer.statusCode !== 202 || (ids.get(index) ?? delivery) !== delivery) failed += 1;
      ids.set(index, delivery);
      return durationMs;
    },
  };
}

/** An open loop: the next delivery is sent when its time has come, whether or not those before it were answered. */
async function steadily(load: DeliveryLoad, deliver: (index: number) => Promise<number>): Promise<number[]> {
  const total = load.perSecond * load.seconds;
  const running: Promise<number>[] = [];
  const startedAt = performance.now();
  while (running.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * load.perSecond));
    while (running.length < due) running.push(deliver(running.length));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return Promise.all(running);
}

async function flood(load: DeliveryLoad, deliver: (index: number) => Promise<number>) {
  const floodMs: number[] = [];
  const startedAt = performance.now();
  let next = load.perSecond * load.seconds;
  const end = next + load.floodSize;
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      while (next < end) {
        next += 1;
        floodMs.push(await deliver(next - 1));
      }
    }),
  );
  return { floodMs, floodPerSecond: Math.round(load.floodSize / ((performance.now() - startedAt) / 1_000)) };
}

async function work(load: DeliveryLoad): Promise<DeliveryFigures> {
  const sender = createSender(load);
  // What runs for longer than a moment is warm.
  for (let index = 0; index < load.warmUp; index += 1) await sender.deliver(-1 - index);
  const steadyMs = await steadily(load, sender.deliver);
  const flooded = await flood(load, sender.deliver);
  for (let index = 0; index < load.repeated; index += 1) await sender.deliver(index);
  await sender.close();
  return { steadyMs, ...flooded, failed: sender.failed() };
}

// This module is the sender's program as well.
if (process.argv[2] === 'send') {
  process.once('message', (load) => {
    work(load as DeliveryLoad).then((figures) => process.send?.(figures));
  });
}
