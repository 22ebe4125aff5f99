import { expect, test } from 'vitest';
import { openPackages, refuseForeignSchemas } from '../../../src/agent/source/open-packages.js';
import { unpackChart } from '../../../src/charts/unpack-chart.js';
import { chartPackage, packageOf } from '../../charts/support/chart-package.js';

const bytes = (text: string) => new TextEncoder().encode(text);

/** A package that holds another, and so on. */
function nested(depth: number): Buffer {
  if (depth === 0) return chartPackage('c0', '1.0.0');
  return packageOf([
    { path: `c${depth}/Chart.yaml`, text: 'name: c\n' },
    { path: `c${depth}/charts/inner.tgz`, bytes: nested(depth - 1) },
  ]);
}

test('packages in charts/ become folders, however they lie in each other; other archives stay', async () => {
  const files = [
    { path: 'app/Chart.yaml', content: bytes('name: app\n') },
    { path: 'app/charts/c1-1.0.0.tgz', content: nested(1) },
    { path: 'app/files/data.tgz', content: bytes('anything') },
  ];
  const opened = await openPackages(unpackChart, files, 'app');
  expect(opened.map(({ path }) => path).sort()).toEqual([
    'app/Chart.yaml',
    'app/charts/c1-1.0.0.package/Chart.yaml',
    'app/charts/c1-1.0.0.package/charts/inner.package/Chart.yaml',
    'app/charts/c1-1.0.0.package/charts/inner.package/templates/map.yaml',
    'app/charts/c1-1.0.0.package/charts/inner.package/values.yaml',
    'app/files/data.tgz',
  ]);
});

test('a doll of too many packages is refused', async () => {
  const files = [{ path: 'charts/a.tgz', content: nested(6) }];
  await expect(openPackages(unpackChart, files, '')).rejects.toMatchObject({ code: 'source-too-large' });
});

test.each([
  ['an address', '{"$ref": "http://127.0.0.1:9091/metrics"}'],
  ['a file', '{"properties": {"a": {"$ref": "file:///etc/passwd"}}}'],
  ['a relative path', '{"allOf": [{"$ref": "../../etc/passwd"}]}'],
  ['an escaped word', '{"\\u0024ref": "http://x/y"}'],
  ['a dynamic reference', '{"$dynamicRef": "http://x/y#a"}'],
  ['a schema of schemas elsewhere', '{"$schema": "http://x/y"}'],
  ['an address that begins like a known one', '{"$schema": "http://json-schema.org.example.com/y"}'],
])('a schema that refers to %s is refused', (_, text) => {
  const files = [{ path: 'charts/sub/values.schema.json', content: bytes(text) }];
  expect(() => refuseForeignSchemas(files)).toThrow(expect.objectContaining({ code: 'source-remote' }));
});

test('a schema that refers to itself is fine', () => {
  const text =
    '{"$schema": "http://json-schema.org/draft-07/schema#", "$defs": {"a": {}}, "properties": {"$ref": {"$ref": "#/$defs/a"}}}';
  expect(() => refuseForeignSchemas([{ path: 'values.schema.json', content: bytes(text) }])).not.toThrow();
  expect(() => refuseForeignSchemas([{ path: 'values.schema.json', content: bytes('{') }])).toThrow('no JSON');
});
