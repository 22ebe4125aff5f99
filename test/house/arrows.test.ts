import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'mayfly-arrows-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Cruise {
  modules: { source: string }[];
  summary: { violations: { rule: { name: string }; from: string; to: string }[] };
}

function cruise(directory: string): Cruise {
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = join(root, '.dependency-cruiser.cjs');
  const output = execFileSync(process.execPath, [bin, 'src', '--config', config, '--output-type', 'json'], {
    cwd: directory,
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(output.toString());
}

// The tool reports success when it finds no parser and therefore no module: so count what it saw.
test('the arrows of the architecture hold, and the check saw every source file', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file}`);
  const seen = cruise(root);
  const missed = sources.filter((file) => !seen.modules.some((module) => module.source === file));
  expect(missed).toEqual([]);
  expect(seen.summary.violations).toEqual([]);
});

const forbidden: [file: string, imported: string, rule: string][] = [
  ['src/agent/apply/apply.ts', 'src/store/pool.ts', 'agent-has-no-database'],
  ['src/agent/run.ts', 'src/gitlab/client.ts', 'agent-has-no-database'],
  ['src/manager/serve.ts', 'src/kube/client.ts', 'manager-has-no-cluster'],
  ['src/manager/decide/run.ts', 'src/manager/commit/writer.ts', 'rooms-do-not-import-each-other'],
  ['src/manager/decide/load.ts', 'src/store/rows.ts', 'rooms-do-not-import-adapters'],
  ['src/preview/decide.ts', 'src/log/logger.ts', 'preview-imports-nothing'],
  ['src/application/file.ts', 'src/git/mirror.ts', 'pure-ground'],
  ['src/store/previews.ts', 'src/gitlab/notes.ts', 'adapters-stand-alone'],
  ['src/git/push.ts', 'src/manager/commit/loop.ts', 'adapters-do-not-import-houses'],
  ['src/manager/receive/router.ts', 'src/config/config.ts', 'rooms-do-not-read-configuration'],
  ['src/manager/serve.ts', 'src/sandbox/start.ts', 'sandbox-only-from-cli'],
  ['src/metrics/all.ts', 'src/agent/run.ts', 'only-wiring-wires'],
];

test('every forbidden arrow is caught, as a type import too', () => {
  const { compilerOptions } = { compilerOptions: { module: 'nodenext' } };
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
  const bodies = new Map<string, string[]>();
  for (const [file, imported] of forbidden) {
    const up = '../'.repeat(file.split('/').length - 1);
    bodies.set(file, [
      ...(bodies.get(file) ?? []),
      `import type { X } from '${up}${imported.replace(/\.ts$/, '.js')}';`,
    ]);
    bodies.set(imported, bodies.get(imported) ?? []);
  }
  for (const [file, lines] of bodies) {
    mkdirSync(join(scratch, file, '..'), { recursive: true });
    writeFileSync(join(scratch, file), [...lines, 'export type X = number;'].join('\n'));
  }
  const found = cruise(scratch).summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
  for (const [file, imported, rule] of forbidden) expect(found).toContain(`${rule}: ${file} -> ${imported}`);
});
