import { writeFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadManagerConfig } from '../../src/config/load-manager-config.js';
import { changedSections, watchReload } from '../../src/config/watch-reload.js';
import { isAppError } from '../../src/error/app-error.js';
import { environment, least, temporaryFile } from './config-files.js';

async function watched() {
  const file = await temporaryFile('mayfly.yaml', least);
  const load = async () => (await loadManagerConfig({ file, environment })).config;
  const changes: string[][] = [];
  const refusals: unknown[] = [];
  const accepted = vi.fn();
  const reloader = watchReload({
    initial: await load(),
    onAccepted: accepted,
    load,
    onChange: (before, after) => void changes.push(changedSections(before, after)),
    onRefused: (error) => refusals.push(error),
  });
  onTestFinished(reloader.stop);
  return { file, reloader, changes, refusals, accepted };
}

describe('reloading', () => {
  it('takes a changed file on SIGHUP and says what changed', async () => {
    const { file, reloader, changes } = await watched();
    await writeFile(file, `${least}limits: {previews: 7}\n`);
    process.kill(process.pid, 'SIGHUP');
    await expect.poll(() => reloader.current().limits.previews).toBe(7);
    expect(changes).toEqual([['limits']]);
  });

  it('keeps the old configuration when the new one is invalid, tells every problem, and recovers', async () => {
    const { file, reloader, changes, refusals, accepted } = await watched();
    await writeFile(file, `${least}limits: {previews: none}\nlgo: {}\n`);
    expect(await reloader.reload()).toBe(false);
    expect(reloader.current().limits.previews).toBe(200);
    expect(changes).toEqual([]);
    expect(accepted).not.toHaveBeenCalled();
    const [error] = refusals;
    expect(isAppError(error, 'config-invalid') && error.data.problems).toHaveLength(2);
    await writeFile(file, `${least}limits: {previews: 8}\n`);
    expect(await reloader.reload()).toBe(true);
    expect(reloader.current().limits.previews).toBe(8);
  });

  it('tells nobody of a file that says the same', async () => {
    const { file, reloader, changes, accepted } = await watched();
    await writeFile(file, `# a comment\n${least}`);
    expect(await reloader.reload()).toBe(true);
    expect(changes).toEqual([]);
    expect(accepted).toHaveBeenCalledOnce();
  });

  it('keeps the old configuration when the new one cannot be put in force', async () => {
    const refusals: unknown[] = [];
    const reloader = watchReload({
      initial: 1,
      load: async () => 2,
      onChange: () => Promise.reject(new Error('no such project')),
      onRefused: (error) => refusals.push(error),
      subscribe: () => () => undefined,
    });
    expect(await reloader.reload()).toBe(false);
    expect(reloader.current()).toBe(1);
    expect(refusals).toHaveLength(1);
  });

  it('ends in the last state of the file, whatever came in between', async () => {
    let state = 0;
    const seen: number[] = [];
    const reloader = watchReload({
      initial: 0,
      load: async () => {
        state += 1;
        return state;
      },
      onChange: async (_before, after) => {
        await Promise.resolve();
        seen.push(after);
      },
      onRefused: () => undefined,
      subscribe: () => () => undefined,
    });
    await Promise.all([reloader.reload(), reloader.reload(), reloader.reload()]);
    expect(seen).toEqual([1, 2, 3]);
    expect(reloader.current()).toBe(3);
  });
});
