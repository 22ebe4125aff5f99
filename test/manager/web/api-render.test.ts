import { pino } from 'pino';
import { expect, test } from 'vitest';
import { AppError } from '../../../src/error/app-error.js';
import { createApi } from '../../../src/manager/web/api.js';
import type { RenderDesk } from '../../../src/manager/web/needs.js';
import { serve, webDeps } from './web-fixtures.js';

const rendered = {
  slug: 'shop-42',
  incarnation: 2,
  phase: 'ready',
  path: 'apps/shop-42.yml',
  text: 'kind: Application\n',
  revision: 'r',
  url: null,
  current: null,
  outcome: 'new',
} as const;

async function start(desk: Partial<RenderDesk>) {
  const api = createApi({
    authenticate: (token) => ({ name: token, scope: token === 'operate' ? 'operate' : 'read' }),
    ...webDeps({ query: () => Promise.reject(new Error('not used')) } as never),
    rendering: {
      render: async () => rendered,
      rehearse: async () => ({ previews: [], more: false }),
      sweep: async () => ({ count: 3, atOnce: 25 }),
      ...desk,
    },
    giveOrder: () => Promise.reject(new Error('not used')),
    settableOf: () => ({}),
    log: pino({ level: 'silent' }),
  });
  const url = await serve('/api/v1', api);
  return async (method: string, path: string, scope: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${scope}`, 'content-type': 'application/json' };
    const answer = await fetch(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
}

test('to look is enough for a rendering and a rehearsal, not for the sweep', async () => {
  const asked: unknown[] = [];
  const call = await start({
    render: async (input) => {
      asked.push(input);
      return rendered;
    },
  });
  expect(await call('POST', '/render', 'read', { project: 'shop', mr: 42 })).toEqual({ status: 200, body: rendered });
  const trial = { project: 'shop', mr: 42, template: 'x', values: { replicas: 2 } };
  expect(await call('POST', '/render', 'read', trial)).toMatchObject({ status: 200 });
  expect(asked).toEqual([
    { project: 'shop', iid: 42, trial: null },
    { project: 'shop', iid: 42, trial: { template: 'x', values: { replicas: 2 } } },
  ]);
  expect(await call('GET', '/sweep', 'read')).toEqual({ status: 200, body: { previews: [], more: false } });
  expect(await call('POST', '/sweep', 'read', {})).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
  expect(await call('POST', '/sweep', 'operate', {})).toEqual({ status: 202, body: { count: 3, atOnce: 25 } });
});

test('what is not understood, or gives no file, is said', async () => {
  const publicMessage = 'Template application.yml.hbs, line 3: partials and decorators are not allowed.';
  const call = await start({
    render: () =>
      Promise.reject(
        new AppError({ code: 'template-invalid', disposition: 'stall', publicMessage, data: { status: 422 } }),
      ),
  });
  for (const body of [{}, { project: 'shop' }, { project: 'shop', mr: 'x' }, { project: 'shop', mr: 1, sha: 'x' }]) {
    expect(await call('POST', '/render', 'read', body)).toMatchObject({ status: 400, body: { code: 'bad-request' } });
  }
  expect(await call('POST', '/render', 'read', { project: 'shop', mr: 1 })).toMatchObject({
    status: 422,
    body: { code: 'template-invalid', detail: publicMessage },
  });
});
