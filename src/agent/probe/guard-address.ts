import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Addresses that no probe contacts: those of this machine's network link, where clouds keep credentials, and of no host. */
const never = blockList(
  ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4', '100.100.100.200/32', '168.63.129.16/32'],
  ['::/128', 'fe80::/10', 'fec0::/10', 'ff00::/8', 'fd00:ec2::/32', '64:ff9b::a9fe:0/112', '2002:a9fe::/32'],
);

/** This machine: the agent's own ports, and those of whatever runs beside it. */
const loopback = blockList(['127.0.0.0/8'], ['::1/128', '64:ff9b::7f00:0/104', '2002:7f00::/24']);

/** Why an address is not contacted; null: it may be. Private addresses may: an Ingress inside the cluster has one. */
export function addressProblem(address: string, allowLoopback: boolean): string | null {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (never.check(address, family)) return `${address} is an address that probes never contact`;
  return !allowLoopback && loopback.check(address, family)
    ? `${address} is the agent’s own machine, which \`probe.allowLoopback\` of its configuration does not allow`
    : null;
}

/**
 * A lookup that gives only addresses that may be contacted. It is asked by the connection itself, so that no name can
 * answer one thing when it is checked and another when it is used. Fails with `EADDRREFUSED`.
 */
export function guardedLookup(allowLoopback: boolean): LookupFunction {
  return (hostname, options, callback) => {
    function answer(addresses: LookupAddress[]): void {
      const problem = addresses
        .map(({ address }) => addressProblem(address, allowLoopback))
        .find((each) => each !== null);
      const [first] = addresses;
      if (problem !== undefined && problem !== null) callback(refusal(problem), []);
      else if (options.all === true || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    }

    // By RFC 6761 these are this machine; not every resolver knows it.
    if (/(^|\.)localhost\.?$/i.test(hostname)) {
      answer([{ address: '127.0.0.1', family: 4 }]);
      return;
    }
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error === null) answer(addresses);
      else callback(error, []);
    });
  };
}

/** The error of an address that is not contacted. */
export function refusal(problem: string): NodeJS.ErrnoException {
  return Object.assign(new Error(problem), { code: 'EADDRREFUSED' });
}

function blockList(v4: readonly string[], v6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const [ranges, family] of [[v4, 'ipv4'] as const, [v6, 'ipv6'] as const]) {
    for (const range of ranges) {
      const [network = '', prefix = ''] = range.split('/');
      list.addSubnet(network, Number(prefix), family);
    }
  }
  return list;
}
