import { defineConfig } from 'vitest/config'

/** Tests read the packages' source, so a test run needs no build. */
const resolve = { conditions: ['@waggle/source', 'module', 'node'] }

const PATIENCE = { testTimeout: 60_000, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    projects: [
      {
        ssr: { resolve },
        test: { name: 'unit', include: ['packages/*/test/unit/**/*.test.{ts,tsx}'], ...PATIENCE }
      },
      {
        ssr: { resolve },
        test: {
          name: 'net',
          include: ['packages/*/test/net/**/*.test.ts'],
          globalSetup: 'packages/cli/test/support/bundle-first.ts',
          ...PATIENCE
        }
      },
      {
        ssr: { resolve },
        test: {
          name: 'adversary',
          include: ['packages/*/test/adversary/**/*.test.ts'],
          ...PATIENCE
        }
      },
      // Tests that take minutes by nature. `npm test` leaves them out, `npm run test:long` runs them.
      {
        ssr: { resolve },
        test: { name: 'long', include: ['packages/*/test/long/**/*.test.ts'], ...PATIENCE }
      }
    ]
  }
})
