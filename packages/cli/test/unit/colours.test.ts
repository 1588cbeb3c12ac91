import { Readable, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { CommandIO } from '../../src/io.ts'
import { run } from '../../src/run.ts'

/** Everything that a command writes to a terminal. */
async function onTerminal(args: string[], env: Record<string, string>): Promise<string> {
  const written: string[] = []
  const terminal = Object.assign(new Writable(), { isTTY: true, columns: 80 })
  const io: CommandIO = {
    out: (line) => written.push(line),
    err: (line) => written.push(line),
    signal: new AbortController().signal,
    stdin: Readable.from([]),
    stdout: terminal,
    stderr: terminal,
    env
  }
  await run(args, io)
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
