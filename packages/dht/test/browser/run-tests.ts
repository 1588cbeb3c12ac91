// Runs unit tests in a page, with the runner of vitest that runs them in Node, too.
import type { RunnerTask, RunnerTestFile } from 'vitest'
import { startTests } from 'vitest/internal/browser'

/** The result of a run. */
export interface TestReport {
  readonly passed: number
  readonly skipped: readonly string[]
  readonly failures: readonly string[]
}

/** The part of vitest's configuration that its runner and its matchers read. */
const CONFIG = {
  root: '/',
  allowOnly: false,
  chaiConfig: {},
  expect: {},
  experimental: {},
  hookTimeout: 60_000,
  includeTaskLocation: false,
  maxConcurrency: 1,
  passWithNoTests: false,
  retry: 0,
  sequence: { hooks: 'stack', setupFiles: 'list', shuffle: false },
  setupFiles: [],
  snapshotOptions: {},
  strictTags: false,
  tags: [],
  testTimeout: 60_000
}

/** Runs test files, each loaded by a function. */
export async function runTests(
  files: Readonly<Record<string, () => Promise<unknown>>>
): Promise<TestReport> {
  Object.assign(globalThis, {
    process: { env: { WAGGLE_CASES: '100' } },
    __vitest_worker__: { config: CONFIG, ctx: {}, environment: { name: 'page' }, durations: {} }
  })
  const runner = {
    config: CONFIG,
    pool: 'page',
    importFile: (path: string) => files[path.replace(/^\//, '')]?.()
  }
  const ran = await startTests(Object.keys(files), runner as never)
  return reportOf(ran)
}

function reportOf(ran: readonly RunnerTestFile[]): TestReport {
  const tasks = ran.flatMap((file) => [file, ...tasksIn(file)])
  const tests = tasks.filter(({ type }) => type === 'test')
  return {
    passed: tests.filter(({ result }) => result?.state === 'pass').length,
    skipped: tests.filter(({ mode }) => mode === 'skip').map(({ fullName }) => fullName),
    failures: tasks.flatMap(({ fullName, name, result }) =>
      (result?.errors ?? []).map(({ message }) => `${fullName ?? name}: ${message}`)
    )
  }
}

function tasksIn(suite: { readonly tasks: readonly RunnerTask[] }): RunnerTask[] {
  return suite.tasks.flatMap((task) => [task, ...('tasks' in task ? tasksIn(task) : [])])
}
