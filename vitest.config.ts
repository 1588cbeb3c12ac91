import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Tests read the packages' source, so a test run needs no build. */
const ssr = { resolve: { conditions: ['@waggle/source', 'module', 'node'] } }

/** Compiled code of the processes that tests start: it halves the processor time of their start. */
const CODE_CACHE = fileURLToPath(new URL('node_modules/.cache/tests', import.meta.url))

/**
 * Test files of a worker share its modules, because loading libp2p again for each file would take longer than
 * most tests. `restore-globals.ts` puts back replaced globals after each file.
 */
const SHARED = {
  isolate: false,
  setupFiles: 'packages/dht/test/support/restore-globals.ts',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  env: { NODE_COMPILE_CACHE: CODE_CACHE }
}

/**
 * A failed test of real networks runs again once: another program on the machine can delay a node for seconds. The run's
 * summary names each test that passed so, with the reason why it failed at first, and each is a fault of the test or of
 * the code. Tests without a network have no such excuse: a law that fails has found something.
 */
const AGAIN = { retry: 1 }

const CORES = availableParallelism()

/** The fuzzer asks V8 for the coverage of all loaded code, so its worker loads nothing else. */
const FUZZ = 'packages/*/test/unit/fuzz.test.ts'

/** Projects run one group after the other, each with as many workers as suit it. */
export default defineConfig({
  test: {
    projects: [
      {
        ssr,
        test: {
          ...SHARED,
          name: 'unit',
          setupFiles: ['packages/dht/test/support/end-timers.ts', SHARED.setupFiles],
          include: ['packages/*/test/unit/**/*.test.{ts,tsx}'],
          exclude: [FUZZ],
          maxWorkers: CORES,
          sequence: { groupOrder: 0 }
        }
      },
      {
        ssr,
        test: {
          ...SHARED,
          isolate: true,
          name: 'fuzz',
          include: [FUZZ],
          maxWorkers: CORES,
          sequence: { groupOrder: 0 }
        }
      },
      {
        ssr,
        test: {
          ...SHARED,
          ...AGAIN,
          name: 'net',
          include: ['packages/*/test/net/**/*.test.ts'],
          globalSetup: 'packages/cli/test/support/bundle-first.ts',
          // These tests wait for the network more than they compute.
          maxWorkers: CORES + 1,
          sequence: { groupOrder: 1 }
        }
      },
      {
        ssr,
        test: {
          ...SHARED,
          ...AGAIN,
          name: 'adversary',
          include: ['packages/*/test/adversary/**/*.test.ts'],
          // These tests measure how long calls take, so nothing else runs beside them.
          maxWorkers: 1,
          sequence: { groupOrder: 2 }
        }
      },
      // Tests that take minutes by nature. `npm test` leaves them out, `npm run test:long` runs them.
      {
        ssr,
        test: {
          ...SHARED,
          name: 'long',
          include: ['packages/*/test/long/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 3 }
        }
      }
    ]
  }
})
