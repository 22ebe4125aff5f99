import { describe, expect, test } from 'vitest';
import { reachOf } from '../../src/registry/address.js';
import { parseChallenge } from '../../src/registry/challenge.js';

describe('where an address leads', () => {
  test.each([
    ['93.184.216.34', 'public'],
    ['172.32.0.1', 'public'],
    ['2606:2800:220:1::1', 'public'],
    ['10.1.2.3', 'private'],
    ['127.0.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['::1', 'private'],
    ['fd12::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:93.184.216.34', 'public'],
    ['169.254.169.254', 'refused'],
    ['0.0.0.0', 'refused'],
    ['100.64.0.1', 'refused'],
    ['224.0.0.1', 'refused'],
    ['255.255.255.255', 'refused'],
    ['198.18.0.1', 'refused'],
    ['::ffff:169.254.169.254', 'refused'],
    ['::', 'refused'],
    ['fe80::1', 'refused'],
    ['ff02::1', 'refused'],
    ['64:ff9b::a00:1', 'refused'],
    ['2002:a00:1::1', 'refused'],
    ['2001:db8::1', 'refused'],
    ['not an address', 'refused'],
  ])('%s: %s', (address, reach) => {
    expect(reachOf(address)).toBe(reach);
  });
});

describe('a challenge', () => {
  const bearer = { scheme: 'bearer', realm: 'https://auth.example.com/token', service: 'registry.example.com' };
  test.each([
    ['Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="a:b:pull,push"', bearer],
    ['bearer service="registry.example.com", realm="https://auth.example.com/token"', bearer],
    ['Basic realm="x", Bearer realm="https://auth.example.com/token",service="registry.example.com"', bearer],
    ['Bearer realm="https://auth.example.com/token"', { ...bearer, service: null }],
    ['Basic realm="Registry \\"x\\", y"', { scheme: 'basic' }],
    ['Basic', { scheme: 'basic' }],
    ['Negotiate', null],
    ['Bearer', null],
    ['', null],
    [undefined, null],
    [`Bearer realm="${'x'.repeat(5_000)}"`, null],
  ])('%j', (header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge);
  });

  test('in several headers prefers a token', () => {
    const service = 'service="registry.example.com"';
    const headers = ['Basic realm="x"', `Bearer realm="https://auth.example.com/token",${service}`];
    expect(parseChallenge(headers)).toEqual(bearer);
  });
});
