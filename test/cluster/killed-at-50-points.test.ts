import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentProgram, type AgentPrograms, compileAgent } from '../agent/support/agent-program.js';
import { type ClusterProxy, startClusterProxy } from '../agent/support/cluster-proxy.js';
import { eventually } from '../agent/support/eventually.js';
import { createSharedSecrets } from '../agent/support/shared-secrets.js';
import { createWorld, type FileInput, type World } from '../agent/support/world.js';
import { realKubeconfig } from '../support/cluster.js';
import { temporaryFolder } from '../support/git-client.js';
import { seeded } from '../support/seeded.js';
import { busyManifests } from './support/busy-manifests.js';
import { type Bystanders, createBystanders } from './support/bystanders.js';
import { ownedKinds, unowned } from './support/ownership.js';

const points = 50;
const slugs = Array.from({ length: 10 }, (_, index) => `cut-${index}`);
/** `KILL_SEED` repeats a run whose failure printed it. */
const seed = Number(process.env.KILL_SEED ?? randomInt(2 ** 31));
const id = randomBytes(4).toString('hex');

/** Where the agent is killed next: at a request that writes, before or after the API server has it. */
interface Trap {
  left: number;
  when: 'before' | 'after';
  spring(): void;
}

describe.skipIf(realKubeconfig === null)('agent killed at 50 points, on a real API server', () => {
  const random = seeded(seed);
  const whole = (from: number, to: number) => from + Math.floor(random() * (to - from));
  let world: World;
  let programs: AgentPrograms;
  let proxy: ClusterProxy;
  let bystanders: Bystanders;
  let trap: Trap | null = null;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const closers: (() => Promise<unknown>)[] = [];

  /** Whether the request passes; the one that the trap waits for does not, and springs it. */
  function pass(when: Trap['when']): boolean {
    if (trap === null || trap.when !== when) return true;
    trap.left -= 1;
    if (trap.left > 0) return true;
    trap.spring();
    return false;
  }

  beforeAll(async () => {
    world = await createWorld({
      limits: { previews: 100, resources: { cpu: '2', memory: '4Gi', pods: 20 } },
      secretsFrom: `shared-${id}`,
      network: { policy: 'isolated', allowFrom: ['ingress-nginx'], denyTo: ['10.0.0.0/8'] },
    });
    closers.push(() => world.close());
    const shared = await createSharedSecrets(world.cluster.client, `shared-${id}`);
    closers.push(() => shared.close());
    await shared.put('registry', { key: 'a-copied-value' });
    proxy = await startClusterProxy(world.cluster.client.connection, {
      before: ({ method }) => method === 'GET' || pass('before'),
      after: ({ method }) => method === 'GET' || pass('after'),
    });
    closers.push(() => proxy.close());
    folder = await temporaryFolder('killed');
    closers.push(() => folder.remove());
    await proxy.writeKubeconfig(`${folder.path}/kubeconfig`);
    programs = await compileAgent();
    closers.push(() => programs.close());
    bystanders = await createBystanders(world.cluster.client, { prefix: world.options.namespacePrefix, id });
    closers.push(() => bystanders.close());
  });

  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  function start(): AgentProgram {
    return programs.start({ ...world.options, kubeconfig: { path: `${folder.path}/kubeconfig` } });
  }

  /** One life of the agent: until it is killed at its point, or there is nothing left to do. Answers which. */
  async function live(isDone: () => Promise<boolean>): Promise<'killed' | 'done'> {
    const program = start();
    const byRequest = random() < 0.75;
    if (byRequest) trap = { left: whole(1, 45), when: random() < 0.5 ? 'before' : 'after', spring: program.kill };
    const jitterMs = whole(0, 400);
    const timed = byRequest ? program.ended : program.ready.then(() => delay(jitterMs)).then(program.kill);
    let killed = false;
    program.ended.then(() => {
      killed = true;
    });
    const done = eventually('the end of the phase, or of the agent', async () => killed || (await isDone()));
    await Promise.race([done, program.ended]);
    const how = killed ? 'killed' : 'done';
    program.kill();
    await Promise.all([program.ended, timed, done]);
    trap = null;
    return how;
  }

  const inventories = async () => {
    const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace: world.options.agentNamespace };
    return (await world.cluster.client.list({ ...query, labelSelector: 'mayfly.dev/memory=inventory' })).items;
  };

  async function isGone(): Promise<boolean> {
    if ((await inventories()).length > 0) return false;
    return (await Promise.all(slugs.map((slug) => world.namespace(slug)))).every((namespace) => namespace === null);
  }

  /** By what the manager was told, of what is in the cluster. */
  async function isApplied(files: readonly FileInput[]): Promise<boolean> {
    return files.every((file) => {
      const newest = world.manager.newest(file.slug, file.incarnation);
      return newest?.state === 'healthy' && newest.revision === world.revision(file);
    });
  }

  async function checkOwned(killed: number): Promise<void> {
    const found = await unowned(world.cluster.client, {
      installation: world.installation,
      agentNamespace: world.options.agentNamespace,
    });
    expect(found, `objects that no inventory lists, after ${killed} deaths`).toEqual([]);
  }

  async function checkComplete(files: readonly FileInput[], round: number): Promise<void> {
    for (const { slug } of files) {
      expect((await world.find(slug, 'v1', 'ConfigMap', 'site'))?.data, slug).toEqual({ round: String(round) });
      expect((await world.find(slug, 'v1', 'ConfigMap', 'extra')) !== null, `extra of ${slug}`).toBe(round % 2 === 0);
      expect((await world.find(slug, 'v1', 'Secret', 'registry'))?.data).toMatchObject({
        key: Buffer.from('a-copied-value').toString('base64'),
      });
      for (const [apiVersion, kind, name] of ownedKinds.standing) {
        expect(await world.find(slug, apiVersion, kind, name), `${kind}/${name} of ${slug}`).not.toBeNull();
      }
      // A hook that succeeded is removed, as its policy says.
      expect(await world.find(slug, 'batch/v1', 'Job', 'seed'), `Job/seed of ${slug}`).toBeNull();
    }
  }

  test(`nothing is unowned, nothing foreign is touched, nothing is missing (seed ${seed})`, async () => {
    let killed = 0;
    /** Lives until the phase is over; after so many deaths the next life is left alone. */
    const phase = async (deaths: number, isDone: () => Promise<boolean>) => {
      const enough = Math.min(points, killed + deaths);
      while (killed < enough) {
        const how = await live(isDone);
        killed += how === 'killed' ? 1 : 0;
        await checkOwned(killed);
        if (how === 'done') return;
      }
      const last = start();
      await eventually('the end of the phase', isDone);
      last.kill();
      await last.ended;
      await checkOwned(killed);
    };
    for (let incarnation = 1; killed < points; incarnation += 1) {
      let files: FileInput[] = [];
      for (const [round, deaths] of [14, 10, 8].entries()) {
        const sha = await world.pushManifests({ 'deploy/all.yaml': busyManifests(round) });
        files = slugs.map((slug) => ({ slug, sha, incarnation, secrets: '["registry"]' }));
        await world.publish({ files });
        await phase(deaths, () => isApplied(files));
        await checkComplete(files, round);
        if (killed >= points) break;
      }
      for (const slug of slugs) world.manager.explanations.set(`${slug}#${incarnation}`, 'merged');
      await world.publish({ remove: slugs });
      await phase(12, isGone);
    }
    expect(killed).toBe(points);
    await checkOwned(killed);
    expect(await inventories()).toEqual([]);
    expect(await bystanders.changed()).toEqual([]);
    expect(world.manager.polls.at(-1)?.orphans).toEqual([]);
  }, 400_000);
});
