import { afterAll, afterEach, beforeAll, beforeEach, describe, it, type TestContext } from 'vitest'

/** The value of `this` in Mocha's tests. */
interface MochaContext {
  timeout(ms: number): void
  skip(): void
}

type MochaTest = (this: MochaContext) => unknown

/** Defines Mocha's globals by Vitest's. js-libp2p's conformance suites are written for Mocha. */
export function defineMochaGlobals(): void {
  Object.assign(globalThis, {
    describe: (name: string, define: MochaTest) =>
      describe(name, () => Reflect.apply(define, { timeout() {}, skip() {} }, []) as undefined),
    it: Object.assign(
      (name: string, test: MochaTest) => {
        it(name, (context: TestContext) => run(test, context))
      },
      { skip: it.skip }
    ),
    before: (hook: MochaTest) => beforeAll(() => run(hook)),
    after: (hook: MochaTest) => afterAll(() => run(hook)),
    beforeEach: (hook: MochaTest) => beforeEach(() => run(hook)),
    afterEach: (hook: MochaTest) => afterEach(() => run(hook))
  })
}

async function run(test: MochaTest, context?: TestContext): Promise<void> {
  await Reflect.apply(test, { timeout() {}, skip: () => context?.skip() }, [])
}
