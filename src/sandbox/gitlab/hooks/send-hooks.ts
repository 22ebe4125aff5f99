import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent } from 'undici';
import type { GitLabContext } from '../context.js';
import type { GitLabEvent } from '../event.js';
import type { Project } from '../model.js';
import { type Delivery, deliver } from './deliver.js';
import { eventPayload, hookEventOf } from './event-payload.js';
import type { Hook, HookEvent } from './hook.js';
import { isHookDisabled, recordHookResult } from './hook-health.js';
import { createTroubledQueue, type DeliveryTrouble } from './troubled-queue.js';

const timeoutMs = 10_000;
const keptDeliveries = 2_000;

export interface HookSender {
  trouble: DeliveryTrouble;
  /** Switches hooks off that keep failing, as GitLab.com does; default false, as self-managed. */
  autoDisable: boolean;
  /** The newest, oldest first. */
  deliveries: Delivery[];
  hears: (project: Project, event: HookEvent) => boolean;
  send: (event: GitLabEvent) => void;
  sendTest: (project: Project, hook: Hook, header: string, payload: unknown) => Promise<number | null>;
  /** Sends one again, with the same key and body. */
  resend: (deliveryId: number) => Promise<number | null>;
  /** Sends what was held back for shuffling. */
  flush: () => void;
  /** Resolves when nothing is under way. */
  idle: () => Promise<void>;
  close: () => Promise<void>;
}

/** Sends webhooks as GitLab does: at once, many at a time, each one once. */
export function createHookSender(ctx: GitLabContext, random: () => number): HookSender {
  const connections = createConnections();
  const trouble: DeliveryTrouble = { lose: 0, duplicate: 0, shuffle: 0, delayMs: 0 };
  const attempt = async (hook: Hook, delivery: Delivery): Promise<number | null> => {
    const status = await deliver(ctx, connections.agent, hook, delivery);
    delivery.answers.push(status);
    if (sender.autoDisable) recordHookResult(hook, status !== null && status < 400, ctx.clock());
    return status;
  };
  const queue = createTroubledQueue<{ hook: Hook; delivery: Delivery }>(trouble, random, ({ hook, delivery }) => {
    void connections.track(connections.pause(trouble.delayMs).then(() => attempt(hook, delivery)));
  });
  const prepare = createDeliveryLog();
  const sender: HookSender = {
    trouble,
    autoDisable: false,
    deliveries: prepare.deliveries,
    hears: (project, event) => [...project.hooks.values()].some((hook) => hook.events[event]),
    send: (event) => {
      const hooks = hooksFor(event);
      const written = hooks.length === 0 ? null : eventPayload(ctx, event);
      if (written === null) return;
      const body = JSON.stringify(written.payload);
      for (const hook of hooks) {
        const delivery = prepare.add(event.project, hook, written.header, body);
        const disabled = sender.autoDisable && isHookDisabled(hook, ctx.clock());
        delivery.lost = disabled || !queue.put({ hook, delivery });
      }
    },
    sendTest: (project, hook, header, payload) =>
      connections.track(attempt(hook, prepare.add(project, hook, header, JSON.stringify(payload)))),
    resend: async (deliveryId) => {
      const delivery = prepare.deliveries.find(({ id }) => id === deliveryId);
      const hook = ctx.state.projects.get(delivery?.projectId ?? -1)?.hooks.get(delivery?.hookId ?? -1);
      if (delivery === undefined || hook === undefined) return null;
      return await connections.track(attempt(hook, delivery));
    },
    flush: queue.flush,
    idle: connections.idle,
    close: connections.close,
  };
  return sender;
}

function createConnections() {
  const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs, connect: { timeout: timeoutMs } };
  const agent = new Agent({ connections: 64, pipelining: 1, ...timeouts });
  const stopped = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  return {
    agent,
    track: <T>(promise: Promise<T>): Promise<T> => {
      underWay.add(promise);
      const done = () => underWay.delete(promise);
      promise.then(done, done);
      return promise;
    },
    pause: async (delayMs: number): Promise<void> => {
      // An end of the wait before its time is the end of everything: the connection is gone as well.
      if (delayMs > 0) await wait(delayMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    },
    idle: async (): Promise<void> => {
      while (underWay.size > 0) await Promise.allSettled([...underWay]);
    },
    close: async (): Promise<void> => {
      stopped.abort();
      await agent.destroy();
      await Promise.allSettled([...underWay]);
    },
  };
}

function createDeliveryLog() {
  const deliveries: Delivery[] = [];
  let lastId = 0;
  return {
    deliveries,
    add: (project: Project, hook: Hook, event: string, body: string): Delivery => {
      lastId += 1;
      const idempotencyKey = randomUUID();
      const base = { id: lastId, hookId: hook.id, projectId: project.id, event, idempotencyKey, body };
      const delivery: Delivery = { ...base, answers: [], lost: false };
      deliveries.push(delivery);
      if (deliveries.length > keptDeliveries) deliveries.shift();
      return delivery;
    },
  };
}

function hooksFor(event: GitLabEvent): Hook[] {
  const wants = hookEventOf(event);
  if (wants === null) return [];
  return [...event.project.hooks.values()].filter((hook) => hook.events[wants] && fitsBranch(hook, event));
}

function fitsBranch(hook: Hook, event: GitLabEvent): boolean {
  if (event.kind !== 'push' || hook.pushEventsBranchFilter === '') return true;
  const pattern = hook.pushEventsBranchFilter.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`).test(event.branch);
}
