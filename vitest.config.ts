import { defineConfig } from 'vitest/config';

/** How long a test waits for what has to come. Machines that run tests are busy, and only a failing test waits. */
const PATIENCE = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } };

export default defineConfig({
  test: {
    reporters: ['default', './scripts/summary-reporter.ts'],
    globalSetup: './scripts/leftovers.ts',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          isolate: false,
          setupFiles: './scripts/property-seed.ts',
          ...PATIENCE,
        },
      },
      {
        // The edge's own suite once more, the edge in a process of its own and the link between the two.
        test: {
          name: 'edge process',
          include: [
            'packages/edge/src/{edge,agents/agents,agents/probe,connection/connections,connection/tls}.test.ts',
          ],
          env: { POSTERN_EDGE_LINK: 'process' },
          isolate: false,
          ...PATIENCE,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          pool: 'forks',
          ...PATIENCE,
        },
      },
    ],
  },
});
