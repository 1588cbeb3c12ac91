// A vitest reporter that writes what a run's summary needs to the file WAGGLE_TEST_COUNTS.
import { writeFileSync } from 'node:fs'

export default class CountsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const inState = (state) => tests.filter((test) => test.result().state === state)
    const brokenFiles = modules.filter((module) => module.errors().length > 0)
    const counts = {
      passed: inState('passed').length,
      failed: inState('failed').length + brokenFiles.length + unhandledErrors.length,
      skips: inState('skipped').map((test) => ({
        name: `${test.module.relativeModuleId} > ${test.fullName}`,
        reason: test.result().note
      }))
    }

    writeFileSync(process.env.WAGGLE_TEST_COUNTS, JSON.stringify(counts))
  }
}
