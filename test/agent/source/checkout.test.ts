import { expect, test } from 'vitest';
import { checkoutOf, link } from './support/tree.js';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test('links inside the repository are followed, to files and to folders', async () => {
  const checkout = checkoutOf({
    'base/a.yaml': 'a',
    'app/a.yaml': link('../base/a.yaml'),
    'app/all': link('../base'),
    // From where the first link leads, not from where it is.
    'app/twice': link('all/../b.yaml'),
    'b.yaml': 'b',
  });
  expect(text(await checkout.read('app/a.yaml'))).toBe('a');
  expect(text(await checkout.read('app/all/a.yaml'))).toBe('a');
  expect(text(await checkout.read('app/twice'))).toBe('b');
  expect(await checkout.kindOf('app/all')).toBe('folder');
  expect((await checkout.collect('app')).map(({ path }) => path)).toEqual([
    'app/a.yaml',
    'app/twice',
    'app/all/a.yaml',
  ]);
});

test.each([
  ['an absolute link', { 'a/x': link('/etc/passwd') }],
  ['a link that leaves the repository', { 'a/x': link('../../etc/passwd') }],
  ['a link that leaves it through another', { 'a/x': link('y/../../../z'), 'a/y': link('..') }],
  ['a link to itself', { 'a/x': link('x') }],
  ['a link to nothing, where all is needed', { 'a/x': link('nowhere') }],
])('%s is refused', async (_, files: Record<string, ReturnType<typeof link>>) => {
  await expect(checkoutOf(files).collect('a')).rejects.toMatchObject({ code: 'source-link', disposition: 'stall' });
});

test('a link to a folder above ends at the limits', async () => {
  await expect(checkoutOf({ 'a/x': 'x', 'a/up': link('..') }).collect('a')).rejects.toMatchObject({
    disposition: 'stall',
  });
});

test.each([['../x'], ['a/../../x'], ['a\0']])('the path %j leaves the repository', async (path) => {
  await expect(checkoutOf({ 'a/x': 'x' }).read(path)).rejects.toMatchObject({ code: 'source-path-missing' });
});

test('a submodule is named', async () => {
  const checkout = checkoutOf({ 'a/sub': { mode: '160000' } });
  await expect(checkout.collect('a')).rejects.toMatchObject({ code: 'source-unsupported' });
});

test.each([
  ['a file above the limit', { files: 9, fileBytes: 3, totalBytes: 99 }],
  ['more files than the limit', { files: 1, fileBytes: 99, totalBytes: 99 }],
  ['more bytes than the limit', { files: 9, fileBytes: 99, totalBytes: 7 }],
])('%s is too large', async (_, limits) => {
  const checkout = checkoutOf({ 'a/1': '1234', 'a/2': '1234' }, limits);
  await expect(checkout.collect('a')).rejects.toMatchObject({ code: 'source-too-large' });
});
