import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/database-server.ts'],
    // Deadlines for what should happen soon: long, so that a busy machine fails no test.
    expect: { poll: { timeout: 60_000 } },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // More than two cores need: the long files wait for clusters and clocks most of the time.
    maxWorkers: 4,
  },
});
