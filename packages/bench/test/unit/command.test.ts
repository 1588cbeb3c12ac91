import { describe, expect, it } from 'vitest'
import { type CommandIO, run } from '../../src/command.ts'

describe('run', () => {
  it.each([
    ['a scenario that there is not', ['nonsense'], 'no scenario is called nonsense'],
    ['a system that there is not', ['peers', '--system', 'pigeons'], 'no system is called pigeons'],
    ['an option that there is not', ['--fast'], "Unknown option '--fast'"]
  ])('answers 2 and the usage for %s', async (_, args, reason) => {
    const errors: string[] = []

    expect(await run(args, ioTo(errors))).toBe(2)
    expect(errors.join('\n')).toContain(reason)
    expect(errors.join('\n')).toContain(
      'usage: pnpm bench [scenario ...] [--quick] [--system NAME ...] [--out FILE]'
    )
  })

  it('answers 1, and why, when it is ended', async () => {
    const errors: string[] = []
    const signal = AbortSignal.abort(new Error('ended by SIGTERM'))

    expect(await run(['floor', '--quick'], { ...ioTo(errors), signal })).toBe(1)
    expect(errors.at(-1)).toBe('ended by SIGTERM')
  })
})

function ioTo(errors: string[]): CommandIO {
  return {
    out: () => undefined,
    err: (line) => errors.push(line),
    defaultOut: '/nonexistent/benchmarks.json',
    signal: new AbortController().signal
  }
}
