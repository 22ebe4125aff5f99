import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createReadiness } from '../../src/agent/readiness.js';
import { runAgent } from '../../src/agent/run.js';
import { AppError } from '../../src/error/app-error.js';
import { quietPort } from '../support/quiet-port.js';
import { eventually } from './support/eventually.js';
import { createWorld, type World } from './support/world.js';

type Readiness = ReturnType<typeof createReadiness>;
type CheckName = 'branch' | 'cluster' | 'deletions' | 'manager';

/** What each check says now; those that count, and those that are advice. */
async function said({ checks }: Readiness): Promise<Partial<Record<CheckName, string | null>> & { advice: string[] }> {
  const signal = new AbortController().signal;
  const reasons = await Promise.all(checks.map(async (check) => [check.name, await check.run(signal)] as const));
  const advice = checks.filter(({ isAdvice }) => isAdvice === true).map(({ name }) => name);
  return { ...Object.fromEntries(reasons), advice };
}

describe('an agent that runs', () => {
  async function start(change: (world: World) => Partial<World['options']> = () => ({})) {
    const world = await createWorld({ pollIntervalMs: 300 });
    onTestFinished(() => world.close());
    const readiness = createReadiness({ pollIntervalMs: 300, hasManager: true, now: Date.now });
    const agent = runAgent(
      { ...world.options, ...change(world) },
      { log: pino({ level: 'silent' }), readiness: readiness.notes },
    );
    onTestFinished(() => agent.stop());
    return { world, readiness, agent };
  }

  it('is ready with a branch, a cluster and a manager, and says why while its branch is refused', async () => {
    const { world, readiness } = await start();
    const well = { branch: null, cluster: null, deletions: null, manager: null, advice: ['deletions', 'manager'] };
    await eventually('all is well', async () => JSON.stringify(await said(readiness)) === JSON.stringify(well));
    await world.branch.write('mayfly.yml', 'installation: another\nlayout: 1\n');
    await world.branch.push('dynamic-envs', 'taken over');
    const refused = await eventually('it is refused', async () => (await said(readiness)).branch);
    expect(refused).toContain('names another installation');
    await world.branch.write('mayfly.yml', `installation: ${world.installation}\nlayout: 1\n`);
    await world.branch.push('dynamic-envs', 'given back');
    await eventually('it is followed again', async () => (await said(readiness)).branch === null);
  });

  it('tells that its manager is away, and is ready', async () => {
    const { world, readiness } = await start();
    await eventually('it speaks', async () => (await said(readiness)).manager === null);
    world.manager.setAway(true);
    const away = await eventually('it is away', async () => (await said(readiness)).manager);
    expect(away).toContain('The manager does not answer. Deployments go on;');
    expect((await said(readiness)).branch).toBeNull();
    world.manager.setAway(false);
    await eventually('it is back', async () => (await said(readiness)).manager === null);
  });

  it('says that the server of its branch does not answer, without its address', async () => {
    const port = await quietPort();
    const { readiness } = await start(({ options }) => ({
      branch: { ...options.branch, repository: `http://127.0.0.1:${port}/environments.git` },
    }));
    const reason = await eventually('it is told', async () => {
      const { branch } = await said(readiness);
      return typeof branch === 'string' && branch.startsWith('The Git server') && branch;
    });
    expect(reason).toContain('does not answer; it is tried again');
    expect(reason).not.toContain(String(port));
  });
});

describe('readiness', () => {
  it('forgives a look that failed, and not that none succeeds', async () => {
    let now = 0;
    const readiness = createReadiness({ pollIntervalMs: 30_000, hasManager: false, now: () => now });
    expect(await said(readiness)).toMatchObject({ branch: 'The branch is not read.', advice: ['deletions'] });
    readiness.notes.branchRead(null);
    readiness.notes.branchFailed('git-unauthorized');
    now = 120_000;
    expect((await said(readiness)).branch).toBeNull();
    now = 121_000;
    expect((await said(readiness)).branch).toBe(
      'The Git server refuses the token for the branch. Give `branch.token` in agent.yaml the right to read it. It was read last 121 s ago.',
    );
  });

  it('is not lost where only deletions are held', async () => {
    const readiness = createReadiness({ pollIntervalMs: 1_000, hasManager: false, now: () => 0 });
    readiness.notes.branchRead('all-files-gone');
    const { branch, deletions } = await said(readiness);
    expect(branch).toBeNull();
    expect(deletions).toContain('No Application is left');
    readiness.notes.branchRead('rewritten');
    expect(await said(readiness)).toMatchObject({ branch: expect.stringContaining('rewritten'), deletions: null });
  });

  it('says what the API server does', async () => {
    const readiness = createReadiness({ pollIntervalMs: 1_000, hasManager: false, now: () => 0 });
    expect((await said(readiness)).cluster).toBe('The agent is still starting.');
    const answer = (code: string) =>
      readiness.notes.connected(async () => {
        throw new AppError({ code, disposition: 'retry', publicMessage: 'https://10.0.0.1:6443 is away' });
      });
    answer('kube-unavailable');
    expect((await said(readiness)).cluster).toContain('does not answer as it should');
    answer('kube-unauthorized');
    expect((await said(readiness)).cluster).toContain('refuses the agent');
  });
});
