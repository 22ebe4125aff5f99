import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AppError } from '../error/app-error.js';

/** What a name stands for now; every address, as the system gives them. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

export const resolveName: Resolve = (hostname) => systemLookup(hostname, { all: true });

/** Ranges of IPv4 that lead to no public host, by the registries of special-purpose addresses (RFC 6890). */
const reserved = blockList([
  ['0.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]);
const ownNetwork = blockList([
  ['10.0.0.0', 8],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
]);
/** Of IPv6 only global unicast is public, without what embeds an IPv4 address or documents. */
const globalUnicast = blockList6([['2000::', 3]]);
const reservedUnicast = blockList6([
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);
const ownNetwork6 = blockList6([
  ['fc00::', 7],
  ['::1', 128],
]);

function blockList(ranges: [string, number][]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of ranges) list.addSubnet(net, prefix, 'ipv4');
  return list;
}

function blockList6(ranges: [string, number][]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of ranges) list.addSubnet(net, prefix, 'ipv6');
  return list;
}

/**
 * Where an address leads: `public`, `private` (this machine or a network of its own), or `refused` (link-local with
 * its metadata services, multicast, and whatever else no registry has).
 */
export function reachOf(address: string): 'public' | 'private' | 'refused' {
  if (isIP(address) === 4) return reachOfIpv4(address);
  if (isIP(address) !== 6) return 'refused';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return reachOfIpv4(mapped);
  if (ownNetwork6.check(address, 'ipv6')) return 'private';
  return globalUnicast.check(address, 'ipv6') && !reservedUnicast.check(address, 'ipv6') ? 'public' : 'refused';
}

function reachOfIpv4(address: string): 'public' | 'private' | 'refused' {
  if (ownNetwork.check(address, 'ipv4')) return 'private';
  return reserved.check(address, 'ipv4') ? 'refused' : 'public';
}

/** Throws `registry-address-refused` unless the address may be contacted. */
export function assertReachable(host: string, address: string, allowPrivate: boolean): void {
  const reach = reachOf(address);
  if (reach === 'public' || (reach === 'private' && allowPrivate)) return;
  throw new AppError({
    code: 'registry-address-refused',
    disposition: 'stall',
    publicMessage:
      reach === 'private'
        ? `The registry ${host} has a private address, and \`registries\` does not say \`private: true\` of it.`
        : `The registry ${host} has an address that no registry may have.`,
    data: { host },
  });
}

/**
 * The look-up of a connection: every address that the name has at that very moment must be allowed, and the connection
 * is made to one of these, so that a name that changes its address meanwhile gains nothing.
 */
export function guardedLookup(resolve: Resolve, allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        try {
          for (const { address } of addresses) assertReachable(hostname, address, allowPrivate);
        } catch (error) {
          callback(error as NodeJS.ErrnoException, '', 0);
          return;
        }
        answer(addresses, options, callback);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}

function answer(
  addresses: LookupAddress[],
  options: Parameters<LookupFunction>[1],
  callback: Parameters<LookupFunction>[2],
): void {
  const wanted = options.family === 4 || options.family === 6 ? options.family : null;
  const fitting = addresses.filter(({ family }) => wanted === null || family === wanted);
  const [first] = fitting;
  if (first === undefined) {
    callback(Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' }), '', 0);
  } else if (options.all === true) {
    callback(null, fitting);
  } else {
    callback(null, first.address, first.family);
  }
}
