import { describe, expect, test } from 'vitest';
import { networkPolicy } from '../../../src/agent/furnish/network-policy.js';
import { lesserQuantity, parseQuantity, partOfCpu, partOfMemory } from '../../../src/agent/furnish/quantity.js';
import { boundsManifests, cappedBounds } from '../../../src/agent/furnish/resource-bounds.js';

describe('quantities', () => {
  test.each([
    ['4', 4],
    ['500m', 0.5],
    ['1.5', 1.5],
    ['8Gi', 8 * 2 ** 30],
    ['2G', 2e9],
    ['1e3', 1_000],
    ['0', 0],
  ])('%s', (text, value) => expect(parseQuantity(text)).toBe(value));

  test.each(['', '-1', 'many', '1 Gi', '1Gib', '0x10', 'Infinity', '1e999', '9'.repeat(400)])('%j is none', (text) => {
    expect(parseQuantity(text)).toBeNull();
  });

  test('the lesser keeps its own words; what is absent bounds nothing', () => {
    expect(lesserQuantity('1024Mi', '2Gi')).toBe('1024Mi');
    expect(lesserQuantity('3', '2500m')).toBe('2500m');
    expect(lesserQuantity(undefined, '2')).toBe('2');
    expect(lesserQuantity('2', undefined)).toBe('2');
  });

  test('a part is never nothing', () => {
    expect([partOfCpu('4', 8), partOfCpu('1m', 8), partOfMemory('8Gi', 8), partOfMemory('1Ki', 8)]).toEqual([
      '500m',
      '1m',
      '1024Mi',
      '1Mi',
    ]);
  });
});

describe('bounds', () => {
  test.each([
    [
      { cpu: '2', pods: 5 },
      { cpu: '4', memory: '8Gi', pods: 3 },
      { cpu: '2', memory: '8Gi', pods: 3 },
    ],
    [{ cpu: '2' }, null, { cpu: '2', memory: undefined, pods: undefined }],
    [null, null, null],
    [null, { pods: 3 }, { cpu: undefined, memory: undefined, pods: 3 }],
  ])('%j within %j', (asked, cap, expected) => expect(cappedBounds(asked, cap)).toEqual(expected));

  test('a bound on pods alone needs no limits', () => {
    expect(boundsManifests({ pods: 3 }).map(({ kind }) => kind)).toEqual(['ResourceQuota']);
    expect(boundsManifests({ cpu: '1' }).map(({ kind }) => kind)).toEqual(['ResourceQuota', 'LimitRange']);
  });
});

describe('the network policy', () => {
  const policy = (denyTo: string[], allowFrom: string[] = []) =>
    networkPolicy({ policy: 'isolated', allowFrom, denyTo })?.spec as { egress: unknown[]; ingress: unknown[] };

  test('lets nobody in but the preview itself when no namespace is allowed', () => {
    expect(policy([]).ingress).toEqual([{ from: [{ podSelector: {} }] }]);
  });

  test('keeps the families of addresses apart, and leaves out one that is denied as a whole', () => {
    const outside = (denyTo: string[]) => policy(denyTo).egress.slice(2);
    expect(outside([])).toEqual([{ to: [{ ipBlock: { cidr: '0.0.0.0/0' } }, { ipBlock: { cidr: '::/0' } }] }]);
    expect(outside(['::/0', '10.0.0.0/8'])).toEqual([
      { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }] },
    ]);
    // Own namespace and DNS are all that is left.
    expect(policy(['0.0.0.0/0', '::/0']).egress).toHaveLength(2);
  });

  test('is none where previews are open', () => {
    expect(networkPolicy({ policy: 'open', allowFrom: ['a'], denyTo: [] })).toBeNull();
  });
});
