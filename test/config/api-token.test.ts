import { describe, expect, it } from 'vitest';
import { findApiToken, newApiToken } from '../../src/config/api-token.js';
import { readEnvironment } from '../../src/config/environment.js';

describe('tokens of the API', () => {
  it('come in two halves: one finds its entry, neither tells the other', () => {
    const ops = newApiToken();
    const dashboard = newApiToken();
    const tokens = [
      { name: 'dashboard', hash: dashboard.hash, scope: 'read' as const },
      { name: 'ops', hash: ops.hash, scope: 'operate' as const },
    ];
    expect(findApiToken(tokens, ops.token)).toEqual({ name: 'ops', scope: 'operate' });
    expect(findApiToken(tokens, dashboard.token)).toEqual({ name: 'dashboard', scope: 'read' });
    expect(findApiToken(tokens, ops.hash)).toBeNull();
    expect(findApiToken(tokens, '')).toBeNull();
    expect(findApiToken([{ name: 'x', hash: 'sha256:short', scope: 'read' }], ops.token)).toBeNull();
    expect(ops.token).toMatch(/^mayfly_[\w-]{43}$/);
    expect(ops.token).not.toBe(dashboard.token);
  });
});

describe('the environment of the command', () => {
  it('takes an empty variable for none', () => {
    expect(readEnvironment({ MAYFLY_URL: 'https://m', MAYFLY_TOKEN: ' ' })).toEqual({
      url: 'https://m',
      token: null,
      configFile: null,
      kubeconfig: null,
      searchPath: null,
    });
  });
});
