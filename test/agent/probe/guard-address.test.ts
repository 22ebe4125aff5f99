import { expect, test } from 'vitest';
import { addressProblem, guardedLookup } from '../../../src/agent/probe/guard-address.js';

test.each([
  '169.254.169.254',
  '169.254.0.1',
  '::ffff:169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
  'fe80::1',
  'fd00:ec2::254',
  '100.100.100.200',
  '168.63.129.16',
  '0.0.0.0',
  '::',
  '224.0.0.1',
  'ff02::1',
  '255.255.255.255',
])('%s is never contacted, whatever is configured', (address) => {
  expect(addressProblem(address, true)).toContain('never contact');
});

test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1'])(
  '%s is contacted only where the configuration allows it',
  (address) => {
    expect(addressProblem(address, false)).toContain('allowLoopback');
    expect(addressProblem(address, true)).toBeNull();
  },
);

test.each(['10.1.2.3', '172.16.0.1', '192.168.1.1', '203.0.113.9', '2001:db8::1', 'fd12::1'])(
  '%s may be an Ingress',
  (address) => {
    expect(addressProblem(address, false)).toBeNull();
  },
);

function look(hostname: string, allowLoopback: boolean, all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    guardedLookup(allowLoopback)(hostname, { all }, (error, address) => {
      if (error === null) resolve(address);
      else reject(error);
    });
  });
}

test('a name is refused for the address that it has when it is used', async () => {
  await expect(look('localhost', false, true)).rejects.toMatchObject({ code: 'EADDRREFUSED' });
  await expect(look('shop.localhost', false, false)).rejects.toMatchObject({ code: 'EADDRREFUSED' });
  expect(await look('shop.localhost', true, false)).toBe('127.0.0.1');
  expect(await look('localhost', true, true)).toEqual([{ address: '127.0.0.1', family: 4 }]);
});
