import { describe, expect, it } from 'vitest';
import { describeFailure } from '../../src/agent/failure.js';
import { AppError } from '../../src/error/app-error.js';

function failed(code: string, random = 1) {
  const error = new AppError({ code, disposition: 'stall', publicMessage: 'It is refused.' });
  return describeFailure(error, 'r1', 3, random);
}

describe('a refusal', () => {
  it.each(['namespace-foreign', 'secret-missing', 'source-refused', 'source-program-missing', 'git-unauthorized'])(
    'that no push mends (%s) is for an operator',
    (code) => {
      expect(failed(code).problem.diagnosis?.mender).toBe('operator');
    },
  );

  it.each(['fence-refused', 'kube-invalid', 'source-invalid'])('of what was pushed (%s) is for the author', (code) => {
    expect(failed(code).problem.diagnosis).not.toHaveProperty('mender');
  });

  it('is tried again within half a minute where no watch tells that the way is free', () => {
    expect([failed('namespace-foreign', 0).retryMs, failed('namespace-foreign').retryMs]).toEqual([15_000, 30_000]);
    expect(failed('kube-invalid').retryMs).toBe(180_000);
  });
});
