/** Runs one scenario, says so when it is over, and leaves it to Node to end the process. */
import process from 'node:process'
import { FAILURES, LIVES } from './create-scenarios.ts'

const MAX_LIFE_MS = 60_000
const NEVER_ENDED = 9

// Ends a forgotten process, and keeps none alive.
setTimeout(() => process.exit(NEVER_ENDED), MAX_LIFE_MS).unref()

const scenario = { ...FAILURES, ...LIVES }[process.argv[2] ?? '']
await scenario?.()
process.stdout.write(scenario === undefined ? 'there is no such scenario' : 'over')
