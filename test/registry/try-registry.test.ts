import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isAppError } from '../../src/error/app-error.js';
import { createRegistries, type Registries, type RegistryEntry } from '../../src/registry/registries.js';
import { tryRegistry } from '../../src/registry/try-registry.js';
import { credential, type RegistryStandIn, startRegistry } from '../support/registry-stand-in.js';

let registry: RegistryStandIn;
let other: RegistryStandIn;
let registries: Registries;
let entries: RegistryEntry[];
const signal = new AbortController().signal;

beforeAll(async () => {
  registry = await startRegistry();
  other = await startRegistry();
});

afterAll(async () => {
  await registries.close();
  await registry.close();
  await other.close();
});

beforeEach(async () => {
  await registries?.close();
  for (const each of [registry, other]) {
    each.requests.splice(0);
    Object.assign(each, { auth: 'token', realm: null, intercept: null });
  }
  entries = [entry()];
  registries = createRegistries({ entries: () => entries, timeoutMs: 500 });
});

function entry(change: Partial<RegistryEntry> = {}): RegistryEntry {
  return { host: registry.host, credential, private: true, insecure: true, ...change };
}

const reach = (...repositories: string[]) => tryRegistry(registries, { host: registry.host, repositories, signal });

async function problem(...repositories: string[]): Promise<string> {
  try {
    return `reached: ${await reach(...repositories)}`;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.publicMessage;
  }
}

describe('a registry of the configuration', () => {
  it('is asked for each repository that is to be read, as the gate asks', async () => {
    expect(await reach('acme/shop', 'acme/cart')).toBe('reads');
    expect(registry.requests.map(({ line }) => line)).toEqual(
      expect.arrayContaining([
        'GET /v2/',
        'HEAD /v2/acme/shop/manifests/mayfly-check',
        'HEAD /v2/acme/cart/manifests/mayfly-check',
      ]),
    );
  });

  it.each(['token', 'basic'] as const)('whose repositories nobody names takes the user alone, by %s', async (auth) => {
    registry.auth = auth;
    expect(await reach()).toBe('signed-in');
    expect(registry.requests.some(({ line }) => line.includes('scope'))).toBe(false);
  });

  it('may ask nobody, or somebody though no user is configured', async () => {
    entries = [entry({ credential: null })];
    expect(await reach()).toBe('asks');
    registry.auth = 'none';
    expect(await reach()).toBe('open');
  });

  it('may give out tokens alone, unless images are to be in it', async () => {
    registry.intercept = (_, response) => {
      response.writeHead(404).end();
      return true;
    };
    expect(await reach()).toBe('other');
    expect(await problem('acme/shop')).toContain('does not speak the distribution API: HTTP 404');
  });

  it.each(['token', 'basic'] as const)('that refuses the user says so, without a secret, by %s', async (auth) => {
    registry.auth = auth;
    entries = [entry({ credential: { username: 'ada', password: 'wrong-secret' } })];
    for (const repositories of [[], ['acme/shop']]) {
      const sentence = await problem(...repositories);
      expect(sentence).toMatch(
        /gives no token with the configured|does not take the configured|does not let this image/,
      );
      expect(sentence).not.toContain('wrong-secret');
    }
  });

  it('is contacted under the same rules: no private address, no redirect, no other token service', async () => {
    entries = [entry({ private: false })];
    expect(await problem()).toContain('has a private address');
    expect(registry.requests).toEqual([]);
    entries = [entry()];
    registry.realm = `http://${other.host}/token`;
    expect(await problem()).toContain('to a host that is not listed');
    registry.intercept = (_, response) => {
      response.writeHead(302, { location: `http://${other.host}/` }).end();
      return true;
    };
    expect(await problem('acme/shop')).toContain('answers with a redirect');
    expect(other.requests).toEqual([]);
    entries = [];
    expect(await problem()).toContain('is not listed');
  });

  it('that does not answer is said to be away', async () => {
    registry.intercept = () => true;
    expect(await problem()).toContain('does not answer');
  });
});
