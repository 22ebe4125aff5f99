import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { judgeObject } from '../../../src/agent/health/judge-object.js';
import { worstHealth } from '../../../src/agent/health/worst-health.js';
import type { Manifest } from '../../../src/agent/manifest.js';

/** Each document of a fixture: the object as the API server has it, and the health that Argo CD gives it. */
interface Fixture {
  case: string;
  status: string;
  message?: string;
  object: Manifest;
}

const folder = join(import.meta.dirname, 'fixtures');

describe.each(readdirSync(folder))('%s', (file) => {
  const fixtures = parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map(
    (document) => document.toJS() as Fixture,
  );

  test.each(fixtures.map((fixture) => [fixture.case, fixture] as const))('%s', (_, fixture) => {
    const health = judgeObject(fixture.object);
    expect(health.status).toBe(fixture.status);
    if (fixture.message !== undefined) expect(health.message).toBe(fixture.message);
  });
});

test('an object without fields is judged without a fault', () => {
  for (const [apiVersion, kind] of [
    ['v1', 'Pod'],
    ['v1', 'Service'],
    ['v1', 'PersistentVolumeClaim'],
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'StatefulSet'],
    ['apps/v1', 'DaemonSet'],
    ['batch/v1', 'Job'],
    ['networking.k8s.io/v1', 'Ingress'],
  ] as const) {
    const broken = { apiVersion, kind, metadata: { name: 'a' }, spec: 'text', status: [1, null] };
    expect(['Healthy', 'Progressing', 'Unknown']).toContain(judgeObject(broken).status);
  }
});

test('an object is judged and not counted when its annotation asks for that', () => {
  const annotations = { 'argocd.argoproj.io/ignore-healthcheck': 'true' };
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'seed', annotations } };
  expect(judgeObject(job)).toEqual({ status: 'Progressing', message: '', ignored: true });
});

test('a whole is as well as its worst part', () => {
  expect(worstHealth([])).toBe('Healthy');
  expect(worstHealth(['Healthy', 'Suspended'])).toBe('Suspended');
  expect(worstHealth(['Progressing', 'Suspended', 'Missing'])).toBe('Missing');
  expect(worstHealth(['Degraded', 'Progressing'])).toBe('Degraded');
  expect(worstHealth(['Unknown', 'Degraded'])).toBe('Unknown');
});
