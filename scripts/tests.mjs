// Runs vitest, and summarises the run: its duration, repeated tests, skipped tests with their reasons, and the counts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, say } from './command.mjs'

/** Runs the tests, then `beforeSummary`, and ends with a line such as `128 passed, 0 failed, 2 skipped`. */
export async function runTests({ node, env }, args, beforeSummary = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'waggle-'))
  const file = join(folder, 'counts.json')
  const reporters = ['--reporter=default', '--reporter=./scripts/counts-reporter.mjs']
  const command = [node, 'node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args]

  try {
    const exitCode = await run(command, { ...env, WAGGLE_TEST_COUNTS: file })
    const counts = readCounts(file)
    beforeSummary()

    return summarise(counts, exitCode)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
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
