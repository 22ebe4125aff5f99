import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../support/git-client.js';
import { runProgram } from '../support/program.js';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

const objects = `apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: preview-shop-42, generation: 2}
    spec: {replicas: 2}
    status: {observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 1}
---
---
apiVersion: batch/v1
kind: Job
metadata: {name: seed}
status: {conditions: [{type: Failed, status: "True", message: "it gave\\nup"}]}
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;

beforeAll(async () => {
  folder = await temporaryFolder('health');
  file = join(folder.path, 'objects.yaml');
  await writeFile(file, objects);
});

afterAll(() => folder.remove());

test('each object of each document and list is a line, and a degraded one is no failure of the command', async () => {
  const { code, output } = await runProgram(['health', file]);
  expect(code).toBe(0);
  expect(output.split('\n')).toEqual([
    'OBJECT              STATUS       MESSAGE',
    'ConfigMap/settings  Healthy      -',
    'Deployment/web      Progressing  1 of 2 new replicas are available',
    'Job/seed            Degraded     it gave up',
  ]);
});

test('JSON and YAML hold all of it', async () => {
  const web = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'preview-shop-42',
    name: 'web',
    status: 'Progressing',
    message: '1 of 2 new replicas are available',
  };
  const json = await runProgram(['health', file, '--output', 'json']);
  expect(JSON.parse(json.output)).toMatchObject([{ name: 'settings', namespace: null }, web, { status: 'Degraded' }]);
  expect(parse((await runProgram(['health', file, '-o', 'yaml'])).output)[1]).toEqual(web);
});

test('standard input is read for -', () => {
  const { status, stdout } = spawnSync(process.execPath, [cli, 'health', '-'], { input: objects, encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout).toContain('Job/seed');
});

test('what cannot be read is told, after all that could, and fails the command', async () => {
  const broken = join(folder.path, 'broken.yaml');
  await writeFile(broken, 'a: [\n---\nkind: Pod\n---\n- 1\n');
  const { code, output } = await runProgram(['health', join(folder.path, 'none.yaml'), broken, file]);
  expect(code).toBe(1);
  expect(output).toContain('Deployment/web');
  expect(output).toContain('none.yaml cannot be read (ENOENT)');
  expect(output).toContain('Mend the YAML.');
  expect(output).toContain('apiVersion is missing or wrong');
  expect((await runProgram(['health'])).code).toBe(2);
});

test('an answer that is larger than the buffer of a pipe arrives as a whole', async () => {
  const items = Array.from({ length: 5_000 }, (_, index) => {
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `settings-${index}` } };
  });
  const many = join(folder.path, 'many.json');
  await writeFile(many, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const { code, output } = await runProgram(['health', many, '--output', 'json']);
  expect(code).toBe(0);
  expect(output.length).toBeGreaterThan(256 * 1024);
  expect(JSON.parse(output)).toHaveLength(5_000);
});
