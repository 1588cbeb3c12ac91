import { describe, expect, it } from 'vitest'
import { FAILURES, LIVES } from '../support/create-scenarios.ts'
import { endOf } from '../support/scenario-process.ts'

const A_MOMENT_MS = 5_000

async function expectCleanEnd(scenario: string): Promise<void> {
  const { exitCode, stdout, stderr, lingeredMs } = await endOf(scenario)

  expect(stderr).toBe('')
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'over' })
  expect(lingeredMs).toBeLessThan(A_MOMENT_MS)
}

describe('DHT.create', () => {
  it.concurrent.each(Object.keys(FAILURES))(
    'leaves nothing running and warns of nothing when it rejects because %s (N8f)',
    expectCleanEnd
  )
})

describe('DHT.stop', () => {
  it.concurrent.each(Object.keys(LIVES))(
    'leaves nothing running and warns of nothing when %s (N8a)',
    expectCleanEnd
  )
})
