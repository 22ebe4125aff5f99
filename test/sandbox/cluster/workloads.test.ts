import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nextStep, rolloutLimits } from '../../../src/sandbox/cluster/controllers/rollout.js';
import { type Cluster, startCluster } from '../../../src/sandbox/cluster/start-cluster.js';
import { type Answer, type ApiClient, connect, eventually, type Json } from './api-client.js';
import { deployment, job, namespace, template } from './manifests.js';

let cluster: Cluster;
let client: ApiClient;
let ns = '';
let apps = '';
let core = '';
let jobs = '';
let count = 0;

beforeAll(async () => {
  cluster = await startCluster();
  client = connect(cluster);
});
beforeEach(async () => {
  count += 1;
  ns = `w${count}`;
  apps = `/apis/apps/v1/namespaces/${ns}`;
  core = `/api/v1/namespaces/${ns}`;
  jobs = `/apis/batch/v1/namespaces/${ns}/jobs`;
  await client.call('POST', '/api/v1/namespaces', namespace(ns));
});
afterAll(async () => {
  client.close();
  await cluster.close();
});

const merge = { 'content-type': 'application/merge-patch+json' };
const list = (value: unknown) => (value ?? []) as Json[];
const condition = (answer: Answer, type: string) =>
  list(answer.body.status?.conditions).find((each) => String(each.type) === type);
const podsOf = (app: string) => cluster.list('pods', ns).filter((pod) => pod.metadata.labels?.app === app);
const imageOf = (pod: unknown) => (pod as Json).spec?.containers?.[0]?.image;
const eventsAbout = async (kind: string) => {
  const answer = await client.call('GET', `${core}/events?fieldSelector=involvedObject.kind%3D${kind}`);
  return list(answer.body.items).map((event) => `${event.reason}: ${event.message}`);
};

async function firstPod(app: string, passes: (pod: Json) => boolean): Promise<Json> {
  const isThere = (answer: Answer) => list(answer.body.items).some(passes);
  const answer = await client.until(`${core}/pods?labelSelector=app%3D${app}`, isThere);
  return list(answer.body.items).find(passes) as Json;
}

describe('the tag of the first image decides', () => {
  it('ready at once', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:1', { replicas: 2 }));
    const settled = await client.until(
      `${apps}/deployments/web`,
      (a) => Number(a.body.status?.availableReplicas) === 2,
    );
    expect(settled.body.status).toMatchObject({ observedGeneration: 1, readyReplicas: 2, updatedReplicas: 2 });
    expect(condition(settled, 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' });
    expect(condition(settled, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
    expect(await eventsAbout('ReplicaSet')).toHaveLength(2);
  });

  it('ready, with the lines of a log that ends where it is asked to', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:1'));
    const pod = await firstPod('web', (each) => String(each.status?.phase) === 'Running');
    const log = (query: string) => client.call('GET', `${core}/pods/${pod.metadata?.name}/log${query}`);
    const whole = (await log('')).text;
    expect(whole).toBe('starting shop:1\nlistening on :8080\nGET /healthz 200\n');
    expect((await log('?tailLines=1')).text).toBe('GET /healthz 200\n');
    expect((await log('?limitBytes=8')).text).toBe('starting');
    expect((await log('?previous=true')).code).toBe(400);
    expect((await log('?container=other')).body.message).toMatch(/^container other is not valid for pod/);
  });

  it(':missing', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:missing'));
    const pod = await firstPod('web', (each) => each.status?.containerStatuses !== undefined);
    const waiting = pod.status?.containerStatuses?.[0]?.state?.waiting;
    expect(pod.status?.phase).toBe('Pending');
    expect(waiting?.reason).toBe('ImagePullBackOff');
    expect(String(waiting?.message)).toMatch(/^Back-off pulling image "shop:missing": .*manifest unknown$/);
    expect(await eventsAbout('Pod')).toContainEqual(
      expect.stringMatching(/^Failed: Failed to pull image "shop:missing"/),
    );
    const logs = await client.call('GET', `${core}/pods/${pod.metadata?.name}/log`);
    expect([logs.code, logs.body.message]).toEqual([400, expect.stringContaining('is waiting to start')]);
  });

  it(':crash', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:crash'));
    const pod = await firstPod('web', (each) => each.status?.containerStatuses !== undefined);
    const status = pod.status?.containerStatuses?.[0];
    expect(status?.state?.waiting?.reason).toBe('CrashLoopBackOff');
    expect(status?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
    expect(await eventsAbout('Pod')).toContainEqual(
      expect.stringMatching(/^BackOff: Back-off restarting failed container/),
    );
    const path = `${core}/pods/${pod.metadata?.name}/log?previous=true&tailLines=5&container=main`;
    expect((await client.call('GET', path)).text).toBe('panic: config: DATABASE_URL is not set\n');
  });

  it(':unready', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:unready'));
    const pod = await firstPod('web', (each) => String(each.status?.phase) === 'Running');
    expect(pod.status?.containerStatuses?.[0]?.ready).toBe(false);
    const settled = await client.until(`${apps}/deployments/web`, (a) => condition(a, 'Available') !== undefined);
    expect(condition(settled, 'Available')).toMatchObject({ status: 'False' });
    expect(condition(settled, 'Progressing')).toMatchObject({ status: 'True' });
  });

  it(':slow', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:slow'));
    const creating = await firstPod('web', (each) => each.status?.containerStatuses !== undefined);
    expect(creating.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe('ContainerCreating');
    await client.until(`${apps}/deployments/web`, (a) => Number(a.body.status?.availableReplicas) === 1);
  });

  it(':fail in a Job, and any other', async () => {
    await client.call('POST', jobs, job('good', 'shop:1'));
    await client.call('POST', jobs, job('bad', 'shop:fail', { backoffLimit: 1 }));
    const good = await client.until(`${jobs}/good`, (a) => condition(a, 'Complete') !== undefined);
    expect(good.body.status).toMatchObject({ succeeded: 1, completionTime: expect.any(String) });
    const bad = await client.until(`${jobs}/bad`, (a) => condition(a, 'Failed') !== undefined);
    expect(condition(bad, 'Failed')).toMatchObject({ status: 'True', reason: 'BackoffLimitExceeded' });
    expect(bad.body.status?.failed).toBe(2);
  });
});

describe('a Deployment', () => {
  const settled = (image: string, replicas: number) => () => {
    const pods = podsOf('web');
    return pods.length === replicas && pods.every((pod) => String(imageOf(pod)) === image);
  };

  it('moves to a new ReplicaSet when its template changes, and back', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:1', { replicas: 3 }));
    await eventually(settled('shop:1', 3), 'the first rollout');
    await client.apply(`${apps}/deployments/web`, deployment('web', 'shop:2', { replicas: 3 }));
    await eventually(settled('shop:2', 3), 'the second rollout');
    const sets = cluster.list('replicasets.apps', ns);
    expect(sets.map((set) => set.spec?.replicas).sort()).toEqual([0, 3]);
    await client.apply(`${apps}/deployments/web`, deployment('web', 'shop:1', { replicas: 3 }));
    await eventually(settled('shop:1', 3), 'the way back');
    expect(cluster.list('replicasets.apps', ns)).toHaveLength(2);
    const now = cluster.get('deployments.apps', ns, 'web');
    expect(now?.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '3' });
  });

  it('keeps the old pods while the new ones do not become ready', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:1', { replicas: 2 }));
    await eventually(settled('shop:1', 2), 'the first rollout');
    await client.apply(`${apps}/deployments/web`, deployment('web', 'shop:crash', { replicas: 2 }));
    await client.until(`${apps}/deployments/web`, (a) => Number(a.body.status?.updatedReplicas) === 1);
    const answer = await client.call('GET', `${apps}/deployments/web`);
    expect(answer.body.status).toMatchObject({ replicas: 3, availableReplicas: 2, unavailableReplicas: 1 });
    expect(podsOf('web').filter((pod) => String(imageOf(pod)) === 'shop:1')).toHaveLength(2);
  });

  it('says so when its rollout passes the deadline', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:crash', { progressDeadlineSeconds: 1 }));
    const isLate = (a: Answer) => String(condition(a, 'Progressing')?.status) === 'False';
    const late = await client.until(`${apps}/deployments/web`, isLate);
    expect(condition(late, 'Progressing')).toMatchObject({ reason: 'ProgressDeadlineExceeded' });
  });

  it('ends all old pods first when it recreates', async () => {
    const strategy = { strategy: { type: 'Recreate' } };
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:1', strategy));
    await eventually(settled('shop:1', 1), 'the first rollout');
    const seen = new Set<string>();
    const stop = cluster.onChange(() => seen.add(podsOf('web').map(imageOf).join()));
    await client.apply(`${apps}/deployments/web`, deployment('web', 'shop:2', strategy));
    await eventually(settled('shop:2', 1), 'the second rollout');
    stop();
    expect([...seen].every((images) => !images.includes(','))).toBe(true);
  });

  it('goes with all that it made', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:1', { replicas: 2 }));
    await eventually(settled('shop:1', 2), 'the rollout');
    await client.call('DELETE', `${apps}/deployments/web`, { propagationPolicy: 'Background' });
    expect((await client.call('GET', `${apps}/deployments/web`)).code).toBe(404);
    await eventually(() => podsOf('web').length === 0, 'its pods are gone');
    expect(cluster.list('replicasets.apps', ns)).toEqual([]);
  });

  it('leaves what it made as orphans when it is asked to', async () => {
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:1'));
    await eventually(settled('shop:1', 1), 'the rollout');
    await client.call('DELETE', `${apps}/deployments/web`, { propagationPolicy: 'Orphan' });
    await client.until(`${apps}/deployments/web`, (a) => a.code === 404);
    const [orphan] = cluster.list('replicasets.apps', ns);
    expect(orphan?.metadata.ownerReferences).toBeUndefined();
    await client.call('DELETE', `${apps}/replicasets/${orphan?.metadata.name}`, { propagationPolicy: 'Foreground' });
    await client.until(`${apps}/replicasets/${orphan?.metadata.name}`, (a) => a.code === 404);
    expect(podsOf('web')).toEqual([]);
  });

  it('gives its ready pods to the Service that selects them', async () => {
    const service = { metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } };
    await client.call('POST', `${core}/services`, service);
    await client.call('POST', `${apps}/deployments`, deployment('web', 'shop:1', { replicas: 2 }));
    const slices = () => cluster.list('endpointslices.discovery.k8s.io', ns);
    await eventually(() => list((slices()[0] as Json | undefined)?.endpoints).length === 2, 'two endpoints');
  });
});

describe('other workloads', () => {
  it('a StatefulSet makes its pods in order, each with its claim', async () => {
    const volumeClaimTemplates = [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ];
    const spec = { replicas: 2, serviceName: 'db', selector: { matchLabels: { app: 'db' } }, volumeClaimTemplates };
    const set = { metadata: { name: 'db' }, spec: { ...spec, template: template('db', 'pg:1') } };
    await client.call('POST', `${apps}/statefulsets`, set);
    const done = await client.until(`${apps}/statefulsets/db`, (a) => Number(a.body.status?.readyReplicas) === 2);
    expect(podsOf('db').map((pod) => pod.metadata.name)).toEqual(['db-0', 'db-1']);
    const claims = cluster.list('persistentvolumeclaims', ns);
    expect(claims.map((claim) => [claim.metadata.name, claim.status?.phase])).toEqual([
      ['data-db-0', 'Bound'],
      ['data-db-1', 'Bound'],
    ]);
    expect(done.body.status?.currentRevision).toEqual(done.body.status?.updateRevision);
    await client.call('PATCH', `${apps}/statefulsets/db`, { spec: { template: template('db', 'pg:2') } }, merge);
    await eventually(() => podsOf('db').every((pod) => String(imageOf(pod)) === 'pg:2'), 'the update');
    await client.call('PATCH', `${apps}/statefulsets/db`, { spec: { replicas: 1 } }, merge);
    await eventually(
      () =>
        podsOf('db')
          .map((pod) => pod.metadata.name)
          .join() === 'db-0',
      'one pod',
    );
    expect(cluster.list('persistentvolumeclaims', ns)).toHaveLength(2);
  });

  it('a StatefulSet whose first pod does not become ready makes no second', async () => {
    const spec = { replicas: 2, serviceName: 'db', selector: { matchLabels: { app: 'db' } } };
    const set = { metadata: { name: 'db' }, spec: { ...spec, template: template('db', 'pg:unready') } };
    await client.call('POST', `${apps}/statefulsets`, set);
    await client.until(`${apps}/statefulsets/db`, (a) => Number(a.body.status?.replicas) === 1);
    expect(podsOf('db').map((pod) => pod.metadata.name)).toEqual(['db-0']);
  });

  it('a DaemonSet runs on the one node and follows its template', async () => {
    const spec = { selector: { matchLabels: { app: 'ds' } }, template: template('ds', 'ds:1') };
    await client.call('POST', `${apps}/daemonsets`, { metadata: { name: 'ds' }, spec });
    await client.until(`${apps}/daemonsets/ds`, (a) => Number(a.body.status?.numberAvailable) === 1);
    await client.call('PATCH', `${apps}/daemonsets/ds`, { spec: { template: template('ds', 'ds:2') } }, merge);
    await eventually(() => podsOf('ds').map(imageOf).join() === 'ds:2', 'the new pod');
    await client.until(`${apps}/daemonsets/ds`, (a) => Number(a.body.status?.observedGeneration) === 2);
  });

  it('a Job runs as many pods as it wants, waits while it is suspended, and leaves when its time is over', async () => {
    await client.call('POST', jobs, job('many', 'shop:1', { completions: 3, parallelism: 2 }));
    const many = await client.until(`${jobs}/many`, (a) => condition(a, 'Complete') !== undefined);
    expect(many.body.status?.succeeded).toBe(3);
    await client.call('POST', jobs, job('later', 'shop:1', { suspend: true, ttlSecondsAfterFinished: 0 }));
    await client.until(`${jobs}/later`, (a) => condition(a, 'Suspended') !== undefined);
    await client.call('PATCH', `${jobs}/later`, { spec: { suspend: false } }, merge);
    await client.until(`${jobs}/later`, (a) => a.code === 404);
  });

  it('a Job ends at its deadline', async () => {
    await client.call('POST', jobs, job('late', 'shop:crash', { activeDeadlineSeconds: 1 }));
    const late = await client.until(`${jobs}/late`, (a) => condition(a, 'Failed') !== undefined);
    expect(condition(late, 'Failed')?.reason).toBe('DeadlineExceeded');
  });
});

describe('a rolling update', () => {
  it.each([
    [3, '25%', '25%', { surge: 1, unavailable: 0 }],
    [10, '25%', '25%', { surge: 3, unavailable: 2 }],
    [1, 0, 0, { surge: 0, unavailable: 1 }],
    [4, 2, '50%', { surge: 2, unavailable: 2 }],
  ])('of %i pods, surge %s, unavailable %s', (replicas, surge, unavailable, expected) => {
    expect(rolloutLimits(replicas, surge, unavailable)).toEqual({ replicas, ...expected });
  });

  it('removes an old pod only for an available new one', () => {
    const limits = rolloutLimits(3, 1, 0);
    const old = [{ wished: 3, available: 3 }];
    expect(nextStep(limits, { wished: 0, available: 0 }, old)).toEqual({ fresh: 1, old: [3] });
    expect(nextStep(limits, { wished: 1, available: 0 }, old)).toEqual({ fresh: 1, old: [3] });
    expect(nextStep(limits, { wished: 1, available: 1 }, old)).toEqual({ fresh: 1, old: [2] });
  });

  it('removes old pods that serve nobody first', () => {
    const step = nextStep(rolloutLimits(2, 1, 0), { wished: 1, available: 1 }, [{ wished: 2, available: 1 }]);
    expect(step.old).toEqual([1]);
  });
});
