import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../../src/sandbox/cluster/start-cluster.js';
import { configMap, deployment, namespace } from './manifests.js';

const kubectl = process.env.TEST_KUBECTL ?? 'kubectl';
const isThere = spawnSync(kubectl, ['version', '--client']).status === 0;

interface Ran {
  code: number;
  out: string;
  err: string;
}

describe.skipIf(!isThere)('unmodified kubectl (needs TEST_KUBECTL, or kubectl on PATH)', () => {
  let cluster: Cluster;
  let folder = '';

  const run = (args: string[], input?: unknown): Promise<Ran> =>
    new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: join(folder, 'kubeconfig'), HOME: folder };
      const child = execFile(kubectl, args, { env, timeout: 30_000 }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
      });
      child.stdin?.end(input === undefined ? '' : JSON.stringify(input));
    });
  /** Runs a verb in the namespace of the tests; fails with kubectl's own words. */
  const ok = async (line: string, input?: unknown): Promise<string> => {
    const ran = await run(['-n', 'demo', ...line.split(' ')], input);
    expect(ran.code, `kubectl ${line}: ${ran.err}`).toBe(0);
    return ran.out;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-kubectl-'));
    cluster = await startCluster();
    await cluster.writeKubeconfig(join(folder, 'kubeconfig'));
    await ok('create -f -', namespace('demo'));
    await ok('apply --server-side -f -', deployment('web', 'shop:1', { replicas: 2 }));
    await ok('rollout status deployment/web --timeout=20s');
  });
  afterAll(async () => {
    await cluster.close();
    await rm(folder, { recursive: true });
  });

  it('learns what the server has', async () => {
    expect(await ok('version')).toMatch(/Server Version: v1\.36/);
    expect(await ok('api-versions')).toMatch(/^apps\/v1$/m);
    expect(await ok('api-resources')).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
    expect(await ok('auth can-i create pods')).toBe('yes\n');
  });

  it('gets, in its columns, as YAML and as JSON', async () => {
    expect(await ok('get deployments')).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\d+s\n$/);
    expect(await ok('get pods -o wide')).toMatch(/^web-\S+ +1\/1 +Running +0 +\d+s +10\.244\.\d+\.\d+ +sandbox/m);
    expect(await ok('get ns -A')).toMatch(/^demo +Active/m);
    expect(await ok('get deploy,rs,svc,cm -o name')).toContain('deployment.apps/web');
    expect(JSON.parse(await ok('get deployment web -o json'))).toMatchObject({
      kind: 'Deployment',
      metadata: { name: 'web' },
    });
    expect(await ok('get pods -A -l app=web -o yaml')).toContain('image: shop:1');
    expect(await ok('get pods --field-selector status.phase=Running -o name')).toMatch(/^pod\/web-/);
    const missing = await run(['-n', 'demo', 'get', 'pod', 'none']);
    expect([missing.code, missing.err]).toEqual([1, 'Error from server (NotFound): pods "none" not found\n']);
  });

  it('gets and watches', async () => {
    const watching = run(['-n', 'demo', 'get', 'configmaps', '-w', '--request-timeout=4s']);
    // The watch is open once kubectl has printed what is there; the writes go on until it must have seen one.
    for (let i = 0; i < 3; i += 1) {
      await ok(
        'apply --server-side --force-conflicts -f -',
        configMap('watched', { round: String(i), [`key${i}`]: '1' }),
      );
      await ok('get configmap watched');
    }
    await ok('delete configmap watched');
    const { out } = await watching;
    expect(out).toMatch(/^kube-root-ca\.crt +1 +\d+s$/m);
    expect(out).toMatch(/^watched +2 +\d+s$/m);
  });

  it('describes', async () => {
    const text = await ok('describe deployment web');
    expect(text).toMatch(/Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable/);
    expect(text).toMatch(
      /Normal +ScalingReplicaSet +\S+ +deployment-controller +Scaled up replica set web-\S+ from 0 to 2/,
    );
    expect(await ok('describe namespace demo')).toMatch(/Status: +Active/);
    expect(await ok('describe node sandbox')).toContain('web-');
  });

  it('applies, both ways, and refuses an unknown field', async () => {
    expect(await ok('apply --server-side -f -', configMap('map', { a: '1' }))).toBe(
      'configmap/map serverside-applied\n',
    );
    expect(await ok('apply --server-side --dry-run=server -f -', configMap('map', { b: '1' }))).toContain('dry run');
    expect(await ok('get configmap map -o jsonpath={.data}')).toBe('{"a":"1"}');
    await ok('apply -f -', configMap('client', { a: '1', b: '1' }));
    expect(await ok('apply -f -', configMap('client', { a: '2' }))).toBe('configmap/client configured\n');
    expect(await ok('get configmap client -o jsonpath={.data}')).toBe('{"a":"2"}');
    const refused = await run(['-n', 'demo', 'apply', '-f', '-'], { ...configMap('x'), extra: 1 });
    expect(refused.err).toContain('strict decoding error: unknown field "extra"');
  });

  it('creates from its own flags, which it sends as protobuf', async () => {
    await ok('create configmap made --from-literal=a=b');
    await ok('create deployment made --image=shop:1 --replicas=2 --port=80');
    await ok('create job made --image=shop:1 -- sleep 1');
    await ok('expose deployment made --port=80 --target-port=http');
    await writeFile(join(folder, 'key'), Buffer.from([0, 1, 255]));
    await ok(`create secret generic made --from-file=${join(folder, 'key')}`);
    expect(await ok('get configmap made -o jsonpath={.data}')).toBe('{"a":"b"}');
    expect(await ok('get secret made -o jsonpath={.data.key}')).toBe('AAH/');
    expect(await ok('get service made -o jsonpath={.spec.ports[0].targetPort}')).toBe('http');
    const spec = JSON.parse(await ok('get deployment made -o jsonpath={.spec}'));
    expect(spec).toMatchObject({ replicas: 2, selector: { matchLabels: { app: 'made' } } });
    expect(spec.template.spec.containers[0]).toMatchObject({ image: 'shop:1', ports: [{ containerPort: 80 }] });
    await ok('wait --for=condition=complete job/made --timeout=20s');
  });

  it('scales, sets, labels, patches and rolls back', async () => {
    await ok('create deployment moved --image=shop:1');
    await ok('scale deployment moved --replicas=3');
    await ok('set image deployment/moved shop=shop:2');
    await ok('rollout status deployment/moved --timeout=20s');
    await ok('rollout undo deployment/moved');
    await ok('rollout status deployment/moved --timeout=20s');
    expect(await ok('get deployment moved -o jsonpath={.spec.template.spec.containers[0].image}')).toBe('shop:1');
    await ok('label deployment moved team=shop');
    await ok('patch deployment moved --type=merge -p {"metadata":{"annotations":{"a":"b"}}}');
    expect(await ok('get deployment -l team=shop -o name')).toBe('deployment.apps/moved\n');
  });

  it('shows logs, the previous ones too, and events', async () => {
    await ok('create deployment broken --image=shop:crash');
    await ok('wait pod -l app=broken --for=jsonpath={.status.phase}=Running --timeout=20s');
    expect(await ok('logs deployment/broken --tail=1')).toBe('panic: config: DATABASE_URL is not set\n');
    expect(await ok('logs deployment/broken --previous')).toBe('panic: config: DATABASE_URL is not set\n');
    expect(await ok('logs deployment/web')).toContain('listening on');
    expect(await ok('get events')).toMatch(/Warning +BackOff +pod\/broken-\S+ +Back-off restarting failed container/);
    expect(await ok('events --types=Warning')).toContain('BackOff');
  });

  it('deletes and waits', async () => {
    await ok('create deployment going --image=shop:1');
    await ok('wait --for=condition=Available deployment/going --timeout=20s');
    await ok('delete deployment going --cascade=foreground --timeout=20s');
    expect(await ok('get pods -l app=going -o name')).toBe('');
    await ok('create namespace other');
    await ok('delete namespace other --wait --timeout=20s');
    expect(cluster.get('namespaces', '', 'other')).toBeUndefined();
  });
});
