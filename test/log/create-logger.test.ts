import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/error/app-error.js';
import { createLogger } from '../../src/log/create-logger.js';
import { createSecrets } from '../../src/log/secrets.js';

function recorder() {
  const lines: string[] = [];
  return { lines, write: (line: string) => void lines.push(line), last: () => JSON.parse(lines.at(-1) ?? 'null') };
}

describe('the logger', () => {
  it('writes one JSON object a line, with level, time and name', () => {
    const destination = recorder();
    createLogger({ level: 'info', name: 'manager', destination }).info({ slug: 'shop-42' }, 'preview saved');
    expect(destination.last()).toMatchObject({ level: 'info', name: 'manager', slug: 'shop-42', msg: 'preview saved' });
    expect(destination.last().time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('keeps quiet below its level', () => {
    const destination = recorder();
    createLogger({ level: 'warn', name: 'manager', destination }).info('nothing');
    expect(destination.lines).toEqual([]);
  });

  it('hides fields that are named like secrets, at the top and below', () => {
    const destination = recorder();
    const log = createLogger({ level: 'info', name: 'manager', destination });
    log.info({ token: 'abc', gitlab: { token: 'def' }, request: { headers: { authorization: 'Bearer ghi' } } }, 'x');
    const line = destination.lines.join('');
    expect(line).not.toMatch(/abc|def|ghi/);
    expect(destination.last().gitlab.token).toBe('[redacted]');
  });

  it.each([
    [
      'in the message of an error',
      (log: ReturnType<typeof createLogger>, s: string) =>
        log.error({ err: new Error(`GET https://x:${s}@git.example.com failed`) }, 'push failed'),
    ],
    [
      'in a nested cause',
      (log: ReturnType<typeof createLogger>, s: string) =>
        log.error({ err: new Error('outer', { cause: new Error(`refused ${s}`) }) }, 'push failed'),
    ],
    [
      'percent-encoded in a URL',
      (log: ReturnType<typeof createLogger>, s: string) =>
        log.info({ url: `https://x/?q=${encodeURIComponent(s)}` }, 'asked'),
    ],
    ['as a key', (log: ReturnType<typeof createLogger>, s: string) => log.info({ byToken: { [s]: 1 } }, 'seen')],
    ['in the text itself', (log: ReturnType<typeof createLogger>, s: string) => log.info(`token ${s}`)],
    ['in a child', (log: ReturnType<typeof createLogger>, s: string) => log.child({ text: `a${s}b` }).info('seen')],
  ])('replaces a known secret %s', (_where, write) => {
    const destination = recorder();
    const secret = 'glpat-1"2\\3/ü?x';
    const log = createLogger({ level: 'info', name: 'manager', destination, secrets: createSecrets([secret]) });
    write(log, secret);
    const text = JSON.stringify(destination.last());
    expect(text).toContain('[redacted]');
    expect(text).not.toContain('glpat');
  });

  it('learns secrets later, and keeps a line valid when a secret is a number', () => {
    const destination = recorder();
    const secrets = createSecrets();
    const log = createLogger({ level: 'info', name: 'manager', destination, secrets });
    log.info({ pin: 12345678 }, 'before');
    expect(destination.last().pin).toBe(12345678);
    secrets.add(['12345678']);
    log.info({ pin: 12345678 }, 'after');
    expect(destination.last().pin).toBe('[redacted]');
  });

  it('replaces the longer of two secrets that begin alike, and ignores short ones', () => {
    const secrets = createSecrets(['secret1', 'secret1-and-more\n', 'main']);
    expect(secrets.mask('secret1-and-more secret1 main')).toBe('[redacted] [redacted] main');
  });

  it('shows code, disposition and cause of an error, and nothing else that it carries', () => {
    const destination = recorder();
    const cause = Object.assign(new Error('HTTP 401'), { request: { headers: { authorization: 'Bearer abc' } } });
    const err = new AppError({
      code: 'gitlab-refused',
      disposition: 'stall',
      publicMessage: 'GitLab refused the token.',
      data: { project: 'acme/shop' },
      cause,
    });
    createLogger({ level: 'info', name: 'manager', destination }).error({ err }, 'failed');
    expect(destination.last().err).toMatchObject({
      type: 'AppError',
      code: 'gitlab-refused',
      disposition: 'stall',
      data: { project: 'acme/shop' },
      cause: { message: 'HTTP 401' },
    });
    expect(destination.lines.join('')).not.toContain('Bearer');
  });
});
