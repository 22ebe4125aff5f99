import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, testGitLab } from './gitlab-fixture.js';

const python = process.env.TEST_PYTHON ?? 'python3';

/** False where there is no Python, or one without the package. */
const hasPythonGitLab = spawnSync(python, ['-c', 'import gitlab'], { stdio: 'ignore' }).status === 0;

describe.skipIf(!hasPythonGitLab)('python-gitlab (set TEST_PYTHON to a Python that has it)', () => {
  it('creates a branch, commits, opens, comments, merges, closes and reopens', async () => {
    const gitlab = await testGitLab({ gitRoot: await temporaryFolder() });
    await gitlab.createProject({
      path: 'acme/shop',
      files: { 'greeting.txt': 'hi\n', 'guide.md': '# Guide\n' },
    });
    const script = fileURLToPath(new URL('python-gitlab.py', import.meta.url));
    const { stdout } = await promisify(execFile)(python, [script, gitlab.url, gitlab.token]);
    const seen = JSON.parse(stdout);

    expect(seen).toMatchObject({
      user: 'root',
      project: 'acme/shop',
      commit: { title: 'Change the greeting', parents: 1 },
      file: 'hello\n',
      notes: ['edited'],
      emoji: ['thumbsup'],
      discussion: ['a thread', 'an answer'],
      statuses: ['mayfly/preview'],
      pipelines: ['success'],
      delete: 403,
      hooks: [['http://127.0.0.1:1/', true]],
      merged: { state: 'merged', commit: true },
      main: 'hello\n',
      closed: 'closed',
      reopened: { state: 'opened', draft: true },
      events: ['closed', 'reopened'],
      paged: 45,
      missing: [404, '404 Project Not Found'],
    });
    expect(seen.opened).toEqual({ iid: 1, state: 'opened', sha: seen.commit.id, labels: ['api'] });
    const files = ['deploy', 'deploy/new.yml', 'docs', 'docs/guide.md', 'greeting.txt'];
    expect(seen.tree.toSorted()).toEqual(files);
  });
});
