import { expect, test } from 'vitest';
import { createRedactor, redact } from '../../../src/agent/diagnose/redact.js';
import { secretValues } from '../../../src/agent/diagnose/secret-values.js';
import { secret } from './fake-reader.js';

test.each([
  ['token glpat-abcdefghij1234567890 here', 'token [redacted] here'],
  ['ghp_abcdefghijklmnopqrstuvwxyz0123', '[redacted]'],
  ['Authorization: Bearer abcdef.ghijkl-123', 'Authorization: Bearer [redacted]'],
  ['postgres://app:s3cret@db:5432/x', 'postgres://app:[redacted]@db:5432/x'],
  ['{"client_secret":"abcdefgh","a":1}', '{"client_secret":"[redacted]","a":1}'],
  ['AWS_KEY AKIAABCDEFGHIJKLMNOP', 'AWS_KEY [redacted]'],
  ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc', 'jwt [redacted]'],
  ['DATABASE_URL is not set', 'DATABASE_URL is not set'],
  ['listening on http://0.0.0.0:8080/path', 'listening on http://0.0.0.0:8080/path'],
])('%s', (text, clean) => {
  expect(redact(text)).toBe(clean);
});

test('a longer value is taken out before one that it holds', () => {
  expect(createRedactor(['password', 'password-long']).text('password-long password')).toBe('[redacted] [redacted]');
});

test('a control character inside a secret does not hide it', () => {
  expect(createRedactor(['verysecret']).line('a very\u0000secret b', 100)).toBe('a [redacted] b');
});

test('a text inside a JSON secret is known in base64, too', () => {
  const values = secretValues([secret('pull', { config: '{"password":"p4ssw0rd-9"}' })]);
  const log = `auth ${Buffer.from('p4ssw0rd-9').toString('base64')}`;
  expect(createRedactor(values).text(log)).toMatch(/^auth \[redacted\]=*$/);
});

test('what stands in every service account’s token is no secret', () => {
  const values = secretValues([
    secret('t', { namespace: 'preview-shop-42', token: 'abcdefghijkl' }, 'kubernetes.io/service-account-token'),
  ]);
  expect(values).toContain('abcdefghijkl');
  expect(values.join(' ')).not.toContain('preview-shop-42');
});
