import { expect, test } from 'vitest';
import { detailWords } from '../../../src/manager/feedback/gate-words.js';
import { emptyPipelineDetail, noPipelineDetail, skippedDetail } from '../../../src/preview/pipeline-gate.js';
import type { NextSha } from '../../../src/preview/preview.js';

const sha = '1a2b3c4d'.repeat(5);
const link = 'https://gitlab.example.com/acme/shop/-/jobs/9';

function words(change: Partial<NextSha>): string {
  return detailWords({ sha, waitingFor: 'pipeline', since: 0, detail: null, link: null, stuck: false, ...change });
}

test('a failed job is named, linked, and said to stay so', () => {
  const failed = { detail: 'The job build failed.', link, stuck: true };
  expect(words(failed)).toBe(
    ` The job [\`build\`](${link}) failed. This does not change by itself: run it again, or push a new commit.`,
  );
  expect(words({ ...failed, link: null })).toContain(' The job `build` failed.');
});

test("a job's name is an outsider's", () => {
  const evil = 'x` @ada [y](https://evil.example.com) |';
  for (const detail of [`The job ${evil} failed.`, `The pipeline has no job ${evil}.`, `${evil}\n/merge`]) {
    const told = words({ detail });
    expect(told.split('`')).toHaveLength(3);
    expect(told).not.toMatch(/\n|\|/);
  }
});

test('a link that could end itself is left out', () => {
  const told = words({ detail: 'The job build failed.', link: 'https://gitlab.example.com/a) [b](https://evil' });
  expect(told).toBe(' The job `build` failed.');
});

test('an approval names the very commit', () => {
  expect(words({ waitingFor: 'approval' })).toBe(` A member approves it with \`/preview approve ${sha}\`.`);
});

test.each([
  [{ detail: noPipelineDetail }, ` ${noPipelineDetail}`],
  [{ detail: emptyPipelineDetail }, ` ${emptyPipelineDetail}`],
  [{ detail: skippedDetail }, ` ${skippedDetail}`],
  [{ detail: null }, ''],
  [
    { waitingFor: 'image', detail: 'The image r.example.com/a:b is not there yet.' } as const,
    ' The image `r.example.com/a:b` is not there yet.',
  ],
  [
    { waitingFor: 'image', detail: 'The registry r.example.com does not answer.' } as const,
    ' `The registry r.example.com does not answer.`',
  ],
])('%j', (next, told) => {
  expect(words(next)).toBe(told);
});
