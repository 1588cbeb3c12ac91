// A vitest reporter that writes what a run's summary needs to the file WAGGLE_TEST_COUNTS.
import { writeFileSync } from 'node:fs'

export default class CountsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const inState = (state) => tests.filter((test) => test.result().state === state)
    const named = (test) => `${test.module.relativeModuleId} > ${test.fullName}`
    const brokenFiles = modules.filter((module) => module.errors().length > 0)
    const counts = {
      passed: inState('passed').length,
      failed: inState('failed').length + brokenFiles.length + unhandledErrors.length,
      repeated: tests
        .filter((test) => test.diagnostic()?.flaky)
        .map((test) => ({ name: named(test), reason: test.result().errors?.[0]?.message })),
      skips: inState('skipped').map((test) => ({ name: named(test), reason: test.result().note }))
    }

    writeFileSync(process.env.WAGGLE_TEST_COUNTS, JSON.stringify(counts))
  }
}
