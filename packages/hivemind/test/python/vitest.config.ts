import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** The tests that need Python Hivemind: `npm run test:hivemind`. */
export default defineConfig({
  root: fileURLToPath(new URL('../../../..', import.meta.url)),
  ssr: { resolve: { conditions: ['@waggle/source', 'module', 'node'] } },
  test: {
    name: 'hivemind',
    include: ['packages/hivemind/test/python/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
})
