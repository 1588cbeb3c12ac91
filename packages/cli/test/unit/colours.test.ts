import { describe, expect, it } from 'vitest'
import { run } from '../../src/run.ts'
import { testIO } from '../support/test-io.ts'

/** Everything that a command writes to a terminal. */
async function onTerminal(args: string[], env: Record<string, string>): Promise<string> {
  const written: string[] = []
  await run(args, testIO({ env, written }))
  return written.join('\n')
}

const ESCAPE = '\u001b['
const WRONG = ['store', 'k', 'v', '--ttl', 'soon']

describe('a command on a terminal', () => {
  it('is colourful', async () => {
    expect(await onTerminal(WRONG, {})).toContain(ESCAPE)
  })

  it.each([
    ['NO_COLOR', '1'],
    ['NO_COLOR', 'false'],
    ['TERM', 'dumb']
  ])('is not where %s is %s', async (variable, value) => {
    expect(await onTerminal(WRONG, { [variable]: value })).not.toContain(ESCAPE)
  })

  it('is colourful again where NO_COLOR is empty', async () => {
    expect(await onTerminal(WRONG, { NO_COLOR: '' })).toContain(ESCAPE)
  })
})
