import { isIP } from 'node:net';
import type { Request } from 'express';

/** Answers whether one more request of this visitor may be served. */
export type VisitorLimit = (visitor: string) => boolean;

/** Visitors that are told apart; those beyond wait for the next minute, so that their names fill no memory. */
const mostVisitors = 10_000;
const windowMs = 60_000;

/** So many requests a minute of each visitor, and of all together. `clock` answers milliseconds that never go back. */
export function visitorLimit(most: { each: number; all: number }, clock = () => performance.now()): VisitorLimit {
  let counts = new Map<string, number>();
  let total = 0;
  let endsAt = 0;
  return (visitor) => {
    if (clock() >= endsAt) {
      counts = new Map();
      total = 0;
      endsAt = clock() + windowMs;
    }
    const count = (counts.get(visitor) ?? 0) + 1;
    if (count > most.each || total >= most.all || (count === 1 && counts.size >= mostVisitors)) return false;
    counts.set(visitor, count);
    total += 1;
    return true;
  };
}

/** Answers whether one more wake of this preview may be asked for by this visitor. */
export type WakeLimit = (visitor: string, slug: string) => boolean;

/**
 * So many wakes a minute of each visitor, of each name, and of all together. What is refused counts for nothing, so that
 * whoever presses all the time takes nothing from the others, and so that no more names are kept than `all` wakes.
 */
export function wakeLimit(
  most: { visitor: number; slug: number; all: number },
  clock = () => performance.now(),
): WakeLimit {
  let visitors = new Map<string, number>();
  let slugs = new Map<string, number>();
  let total = 0;
  let endsAt = 0;
  return (visitor, slug) => {
    if (clock() >= endsAt) {
      visitors = new Map();
      slugs = new Map();
      total = 0;
      endsAt = clock() + windowMs;
    }
    const [ofVisitor, ofSlug] = [visitors.get(visitor) ?? 0, slugs.get(slug) ?? 0];
    if (ofVisitor >= most.visitor || ofSlug >= most.slug || total >= most.all) return false;
    visitors.set(visitor, ofVisitor + 1);
    slugs.set(slug, ofSlug + 1);
    total += 1;
    return true;
  };
}

/**
 * Who asks: the address of the connection or, when that is a machine of the private network, the last address that it
 * added to `X-Forwarded-For`: an Ingress names the visitor there, and what the visitor wrote stands before it.
 */
export function visitorOf(request: Request): string {
  const peer = plain(request.socket.remoteAddress ?? '');
  const named = request.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
  return network(isPrivate(peer) && isIP(named) > 0 ? plain(named) : peer);
}

/** An IPv4 address that came over IPv6 is an IPv4 address. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function isPrivate(address: string): boolean {
  return /^(10\.|127\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::1$|f[cd])/i.test(address);
}

/** Of IPv6 a visitor has a whole network: its first four groups name it. */
function network(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail = ''] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = address.includes('::') ? 8 - groups.length - (tail === '' ? 0 : tail.split(':').length) : 0;
  const all = [...groups, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...tail.split(':')];
  return all.slice(0, 4).join(':');
}
