// Runs vitest, and summarises the run: its duration, repeated tests, skipped tests with their reasons, and the counts.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, say } from './command.mjs'

/** How long vitest may take to end after its report. Node and vitest both have known faults that keep it forever. */
const ENDING_MS = 60_000

/** Runs the tests, then `beforeSummary`, and ends with a line such as `128 passed, 0 failed, 2 skipped`. */
export async function runTests({ node, env }, args, beforeSummary = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'waggle-'))
  const file = join(folder, 'counts.json')
  const reporters = ['--reporter=default', '--reporter=./scripts/counts-reporter.mjs']
  const command = [node, 'node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args]

  const stuck = whenStuck(file)

  try {
    const exitCode = await run(command, { ...env, WAGGLE_TEST_COUNTS: file }, stuck.signal)
    const counts = readCounts(file)
    beforeSummary()

    return summarise(counts, stuck.signal.aborted ? Number(counts.failed > 0) : exitCode)
  } finally {
    stuck.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Aborts its signal when vitest has written its report, which says everything that counts, but does not end. */
function whenStuck(file) {
  const controller = new AbortController()
  let reportedAt
  const timer = setInterval(() => {
    if (reportedAt === undefined) {
      reportedAt = existsSync(file) ? Date.now() : undefined
    } else if (Date.now() - reportedAt > ENDING_MS) {
      say(
        `vitest has not ended ${ENDING_MS / 1000} s after its report, and is stopped; the report holds`
      )
      clearInterval(timer)
      controller.abort()
    }
  }, 1_000)

  return { signal: controller.signal, end: () => clearInterval(timer) }
}

/** A run that ends without a report has counted nothing. */
function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 0, repeated: [], skips: [] }
  }
}

function summarise({ passed, failed, repeated, skips }, exitCode) {
  // An error outside every test counts as a failure.
  const failures = failed === 0 && exitCode !== 0 ? 1 : failed
  const explained = skips.filter(({ reason }) => reason)

  for (const { name, reason } of repeated) {
    say(`passed at the second attempt only, mend it: ${name}: ${reason}`)
  }

  for (const { name, reason } of explained) {
    say(`skipped, ${reason}: ${name}`)
  }

  const unexplained = skips.length - explained.length

  if (unexplained > 0) {
    say(`skipped by a filter or without a reason: ${unexplained}`)
  }

  if (passed + failures === 0) {
    say('no test ran')
  }

  say(`the run took ${duration(process.uptime())}`)
  console.log(`${passed} passed, ${failures} failed, ${skips.length} skipped`)

  return exitCode || Number(failures > 0 || passed === 0)
}

function duration(seconds) {
  const whole = Math.round(seconds)

  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}
