import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lookForImage } from '../../src/registry/look-for-image.js';
import { createRegistries, type Registries, type RegistryEntry } from '../../src/registry/registries.js';
import { credential, type RegistryStandIn, startRegistry } from '../support/registry-stand-in.js';

let registry: RegistryStandIn;
let other: RegistryStandIn;
let registries: Registries;
let entries: RegistryEntry[];
let now: number;
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
    each.images.clear();
    each.requests.splice(0);
    Object.assign(each, { auth: 'token', realm: null, intercept: null, tokenLife: 300 });
  }
  now = 1_000_000;
  entries = [entry(registry.host)];
  registries = createRegistries({ entries: () => entries, timeoutMs: 500, clock: () => now });
});

function entry(host: string, change: Partial<RegistryEntry> = {}): RegistryEntry {
  return { host, credential, private: true, insecure: true, ...change };
}

const look = (tag = '1a2b', repository = 'acme/shop') =>
  lookForImage(registries, { host: registry.host, repository, tag, signal });

const lines = (of = registry) => of.requests.map(({ line }) => line);

describe('an image', () => {
  it('is there once its tag is', async () => {
    expect(await look()).toBe(false);
    registry.images.add('acme/shop:1a2b');
    expect(await look()).toBe(true);
    expect(await look('other')).toBe(false);
  });

  it('of any kind is asked for', async () => {
    await look();
    expect(registry.requests[0]?.accept).toContain('application/vnd.oci.image.index.v1+json');
    expect(registry.requests[0]?.accept).toContain('application/vnd.docker.distribution.manifest.list.v2+json');
    expect(registry.requests[0]?.accept).toContain('application/vnd.docker.distribution.manifest.v2+json');
  });

  it('in a registry that wants no token, or a password', async () => {
    registry.images.add('acme/shop:1a2b');
    registry.auth = 'none';
    expect(await look()).toBe(true);
    expect(registry.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
    registry.auth = 'basic';
    expect(await look()).toBe(true);
    expect(await look()).toBe(true);
    expect(registry.requests).toHaveLength(4);
  });
});

describe('a token', () => {
  it('is asked for by the scope of reading alone, and shared by all tags of the repository', async () => {
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((tag) => look(tag)));
    await look('f');
    const tokens = lines().filter((line) => line.startsWith('GET /token'));
    expect(tokens).toEqual(['GET /token?scope=repository%3Aacme%2Fshop%3Apull&service=stand-in']);
    await look('a', 'acme/cart');
    expect(lines().filter((line) => line.startsWith('GET /token'))).toHaveLength(2);
  });

  it('that ran out is replaced', async () => {
    registry.tokenLife = 60;
    await look();
    now += 50_000;
    await look();
    expect(lines().filter((line) => line.startsWith('GET /token'))).toHaveLength(1);
    now += 10_000;
    await look();
    expect(lines().filter((line) => line.startsWith('GET /token'))).toHaveLength(2);
  });

  it('that is refused is replaced once, and then somebody must act', async () => {
    await look();
    registry.intercept = (request, response) => {
      if (request.method !== 'HEAD') return false;
      response.writeHead(401, {
        'www-authenticate': `Bearer realm="http://${registry.host}/token",service="stand-in"`,
      });
      response.end();
      return true;
    };
    registry.requests.splice(0);
    await expect(look()).rejects.toMatchObject({ code: 'registry-refused', disposition: 'stall' });
    expect(lines().map((line) => line.split(' ')[0])).toEqual(['HEAD', 'GET', 'HEAD']);
  });

  it('is not given for the wrong password, which no error holds', async () => {
    entries = [entry(registry.host, { credential: { username: 'ada', password: 'wrong-password' } })];
    const error: unknown = await look().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'registry-refused' });
    expect(JSON.stringify([error, String(error)])).not.toContain('wrong-password');
  });

  it('is fetched from a listed host alone', async () => {
    registry.realm = `http://${other.host}/token`;
    await expect(look()).rejects.toMatchObject({
      code: 'registry-refused',
      publicMessage: expect.stringContaining(other.host),
    });
    expect(other.requests).toEqual([]);
    entries.push(entry(other.host, { credential: null }));
    // The stand-ins do not know each other's tokens; that the other one was asked is what counts.
    await expect(look()).rejects.toMatchObject({ code: 'registry-refused' });
    expect(lines(other)).toHaveLength(1);
  });

  it('is not fetched from a host that only the path of the address names', async () => {
    registry.realm = `http://${registry.host}//${other.host}/token`;
    await look();
    expect(other.requests).toEqual([]);
    expect(lines()[1]).toContain(`GET //${other.host}/token`);
  });

  it.each([
    ['over another scheme than the list says', () => `https://${registry.host}/token`],
    ['of an address with a password', () => `http://eve:x@${registry.host}/token`],
    ['of another port', () => 'http://127.0.0.1:1/token'],
    ['of no address', () => 'token'],
  ])('is not fetched %s', async (_, realm) => {
    registry.realm = realm();
    await expect(look()).rejects.toMatchObject({ code: 'registry-refused' });
    expect(lines()).toHaveLength(1);
  });
});

describe('a registry', () => {
  it('that is not listed is not contacted', async () => {
    entries = [];
    await expect(look()).rejects.toMatchObject({ code: 'registry-refused' });
    expect(registry.requests).toEqual([]);
  });

  it.each([301, 302, 307, 308])('that redirects (%i) is not followed', async (status) => {
    registry.intercept = (_, response) => {
      response.writeHead(status, { location: `http://${other.host}/v2/acme/shop/manifests/1a2b` }).end();
      return true;
    };
    await expect(look()).rejects.toMatchObject({ code: 'registry-refused' });
    expect(other.requests).toEqual([]);
  });

  it('that has had enough is left alone for as long as it says', async () => {
    registry.intercept = (_, response) => {
      response.writeHead(429, { 'retry-after': '20' }).end();
      return true;
    };
    const error = { code: 'registry-unavailable', data: { retryAfterMs: 20_000 } };
    await expect(look()).rejects.toMatchObject(error);
    now += 5_000;
    await expect(look('other')).rejects.toMatchObject({ ...error, data: { retryAfterMs: 15_000 } });
    expect(registry.requests).toHaveLength(1);
    registry.intercept = null;
    now += 15_000;
    expect(await look()).toBe(false);
  });

  it('that is slow, out of order or away cannot say now', async () => {
    registry.intercept = () => true;
    await expect(look()).rejects.toMatchObject({ code: 'registry-unavailable', disposition: 'retry' });
    registry.intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    await expect(look()).rejects.toMatchObject({ code: 'registry-unavailable' });
  });

  it('whose token never ends is not read to its end', async () => {
    registry.intercept = (request, response) => {
      if (!(request.url ?? '').startsWith('/token')) return false;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`{"token":"${'x'.repeat(400_000)}"}`);
      return true;
    };
    await expect(look()).rejects.toMatchObject({ code: 'registry-unavailable' });
  });

  it('is spoken to over TLS unless the list says otherwise', async () => {
    entries = [entry(registry.host, { insecure: false })];
    await expect(look()).rejects.toMatchObject({ code: expect.stringMatching(/^registry-(refused|unavailable)$/) });
    expect(registry.requests).toEqual([]);
  });

  it('is waited for no longer than the caller wants', async () => {
    registry.intercept = () => true;
    const control = new AbortController();
    const answer = lookForImage(registries, { host: registry.host, repository: 'a', tag: 'b', signal: control.signal });
    control.abort();
    await expect(answer).rejects.toMatchObject({ code: 'registry-aborted' });
  });
});

describe('a private address', () => {
  it('is not contacted unless the list allows it', async () => {
    entries = [entry(registry.host, { private: false })];
    await expect(look()).rejects.toMatchObject({ code: 'registry-address-refused', disposition: 'stall' });
    expect(registry.requests).toEqual([]);
  });

  it('is found behind a name at the moment of the connection, however often the name changes', async () => {
    registry.auth = 'none';
    const port = registry.host.split(':')[1];
    const answers = ['93.184.216.34', '127.0.0.1'];
    const asked: string[] = [];
    const host = `registry.example.com:${port}`;
    entries = [entry(host, { private: false })];
    const rebound = createRegistries({
      entries: () => entries,
      timeoutMs: 500,
      resolve: async (name) => {
        asked.push(name);
        // Both at once: that one of them is public makes the other no better.
        return answers.map((address) => ({ address, family: 4 }));
      },
    });
    try {
      const answer = lookForImage(rebound, { host, repository: 'a', tag: 'b', signal });
      await expect(answer).rejects.toMatchObject({ code: 'registry-address-refused' });
      answers.shift();
      const again = lookForImage(rebound, { host, repository: 'a', tag: 'b', signal });
      await expect(again).rejects.toMatchObject({ code: 'registry-address-refused' });
      expect(asked).toEqual(['registry.example.com', 'registry.example.com']);
      entries = [entry(host)];
      expect(await lookForImage(rebound, { host, repository: 'a', tag: 'b', signal })).toBe(false);
    } finally {
      await rebound.close();
    }
  });
});
