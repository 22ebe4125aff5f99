import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { unpackChart } from '../../src/charts/unpack-chart.js';
import { chartPackage, type PackageEntry, packageOf } from './support/chart-package.js';

test('the files of a package, without the folder that they lie in', async () => {
  const files = await unpackChart(chartPackage('shop', '1.0.0', [{ path: 'shop/templates/', type: 'Directory' }]));
  expect(files.map(({ path }) => path).sort()).toEqual(['Chart.yaml', 'templates/map.yaml', 'values.yaml']);
});

const inShop = (entry: PackageEntry) => chartPackage('shop', '1.0.0', [entry]);

test.each([
  ['a path that leaves it', inShop({ path: 'shop/../../etc/cron.d/x' })],
  ['an absolute path', inShop({ path: '/etc/passwd' })],
  ['a path of Windows', inShop({ path: 'shop\\..\\..\\x' })],
  ['a symbolic link', inShop({ path: 'shop/values', type: 'SymbolicLink', linkpath: '/etc/passwd' })],
  ['a hard link', inShop({ path: 'shop/values', type: 'Link', linkpath: '/etc/passwd' })],
  ['a device', inShop({ path: 'shop/null', type: 'CharacterDevice' })],
  ['a second folder', inShop({ path: 'other/a.yaml' })],
  ['a file twice', inShop({ path: 'shop/values.yaml', text: 'colour: black\n' })],
  ['no Chart.yaml', packageOf([{ path: 'shop/values.yaml' }])],
  ['no archive', Buffer.from('<html>Sign in</html>')],
  ['half an archive', gzipSync(Buffer.alloc(700, 'x'))],
  ['a bomb', gzipSync(Buffer.alloc(80 * 1024 * 1024))],
  [
    'too many files',
    chartPackage(
      'shop',
      '1',
      Array.from({ length: 5_000 }, (_, index) => ({ path: `shop/${index}` })),
    ),
  ],
])('a package with %s is refused', async (_, content) => {
  await expect(unpackChart(content)).rejects.toMatchObject({ code: 'source-chart-package', disposition: 'stall' });
});
