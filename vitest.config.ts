import { defineConfig } from 'vitest/config'

/** Tests read the packages' source, so that a test run needs no build. */
const resolve = { conditions: ['@waggle/source', 'module', 'node'] }

export default defineConfig({
  test: {
    projects: [
      {
        ssr: { resolve },
        test: {
          name: 'unit',
          include: ['packages/*/test/unit/**/*.test.{ts,tsx}'],
          testTimeout: 60_000
        }
      },
      {
        ssr: { resolve },
        test: {
          name: 'net',
          include: ['packages/*/test/net/**/*.test.ts'],
          globalSetup: 'packages/cli/test/support/bundle-first.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      },
      {
        ssr: { resolve },
        test: {
          name: 'adversary',
          include: ['packages/*/test/adversary/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      }
    ]
  }
})
