import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/error/app-error.js';
import { type RegistryProbes, registryChecks } from '../../../src/manager/operate/check-registries.js';
import { formatResult, runCheck } from '../../../src/manager/operate/check-result.js';
import { createRegistries, type RegistryEntry } from '../../../src/registry/registries.js';
import { tryRegistry } from '../../../src/registry/try-registry.js';
import { credential, type RegistryStandIn, startRegistry } from '../../support/registry-stand-in.js';

let registry: RegistryStandIn;
const advice = 'Correct `registries`.';

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry?.close());

async function lines(
  entry: Partial<RegistryEntry>,
  templates: string[],
  more: { own?: string; readOwn?: RegistryProbes['readOwn'] } = {},
): Promise<string[]> {
  const { host } = registry;
  const entries: RegistryEntry[] = [{ host, credential, private: true, insecure: true, ...entry }];
  const registries = createRegistries({ entries: () => entries, timeoutMs: 500 });
  const checks = registryChecks(
    {
      reach: (input) => tryRegistry(registries, input),
      readOwn: more.readOwn ?? (() => Promise.reject(new Error('not asked for'))),
    },
    {
      hosts: entries.map((each) => ({ host, hasUser: each.credential !== null })),
      own: more.own ?? null,
      templates: templates.map((template) => ({ project: 'shop', template })),
      projectIds: new Map([[7, 'shop']]),
    },
  );
  const { signal } = new AbortController();
  try {
    const results = await Promise.all(checks.map((each) => runCheck(each, { timeoutMs: 5_000, signal, advice })));
    return results.map((result) => formatResult(result).replaceAll(host, 'HOST'));
  } finally {
    await registries.close();
  }
}

describe('the check of a registry', () => {
  it('says which repositories may be read; those named after a merge request are not asked for', async () => {
    const { host } = registry;
    registry.requests.splice(0);
    const images = [
      `${host}/acme/shop:{{sha}}`,
      `${host}/acme/{{project}}:v-{{shortSha}}`,
      `${host}/{{slug}}/x:{{sha}}`,
    ];
    expect(await lines({}, images)).toEqual([
      '✓ registry HOST: Reached; acme/shop may be read by the configured user.',
    ]);
    expect(registry.requests.filter(({ line }) => line.includes('mayfly-check-'))).toEqual([]);
  });

  it('says of one that nothing names whether it takes the user', async () => {
    expect(await lines({}, [])).toEqual([
      '✓ registry HOST: Reached, and it takes the configured user. No `gate.image` names a repository of it.',
    ]);
  });

  it('fails with what is wrong and what to do, and prints no secret', async () => {
    const wrong = { username: 'ada', password: 'not-the-password' };
    const [line = ''] = await lines({ credential: wrong }, [`${registry.host}/acme/shop:{{sha}}`]);
    expect(line).toBe(
      '✗ registry HOST: The registry HOST gives no token with the configured user name and password. Check `registries`. Correct `registries`.',
    );
    expect(await lines({ private: false }, [])).toEqual([
      '✗ registry HOST: The registry HOST has a private address, and `registries` does not say `private: true` of it. Correct `registries`.',
    ]);
    expect(JSON.stringify(await lines({ credential: wrong }, []))).not.toContain('not-the-password');
  });

  it("asks GitLab's own registry through GitLab, for images of projects that it shows", async () => {
    const asked: unknown[] = [];
    const readOwn: RegistryProbes['readOwn'] = async ({ projectId, repository }) =>
      void asked.push([projectId, repository]);
    const own = 'registry.gitlab.example.com';
    const [, line] = await lines({}, [`${own}/acme/shop:{{sha}}`], { own, readOwn });
    expect(line).toBe(`✓ registry ${own}: GitLab's own: its API tells of acme/shop.`);
    expect(asked).toEqual([[7, 'acme/shop']]);
    const refuses = () =>
      Promise.reject(new AppError({ code: 'gitlab-forbidden', disposition: 'stall', publicMessage: 'Forbidden.' }));
    expect((await lines({}, [`${own}/acme/shop:{{sha}}`], { own, readOwn: refuses }))[1]).toContain('✗ registry');
    expect((await lines({}, [], { own }))[1]).toContain('- registry');
  });
});
