import { describe, expect, it } from 'vitest'
import { type CommandIO, run } from '../../src/command.ts'

describe('run', () => {
  it.each([
    ['an unknown scenario', ['nonsense'], 'no scenario is called nonsense'],
    ['an unknown system', ['peers', '--system', 'pigeons'], 'no system is called pigeons'],
    ['an unknown option', ['--fast'], "Unknown option '--fast'"],
    ['a guard without a commit', ['guard'], 'no scenario is called guard']
  ])('resolves with 2 and prints the usage for %s', async (_, args, reason) => {
    const errors: string[] = []

    expect(await run(args, ioTo(errors))).toBe(2)
    expect(errors.join('\n')).toContain(reason)
    expect(errors.join('\n')).toContain(
      'usage: pnpm bench [scenario ...] [--quick] [--system NAME ...] [--out FILE]'
    )
    expect(errors.join('\n')).toContain('pnpm bench guard COMMIT')
  })

  it('resolves with 1 and prints the reason when it is aborted', async () => {
    const errors: string[] = []
    const signal = AbortSignal.abort(new Error('ended by SIGTERM'))

    expect(await run(['watch', '--quick'], { ...ioTo(errors), signal })).toBe(1)
    expect(errors.at(-1)).toBe('ended by SIGTERM')
  })
})

function ioTo(errors: string[]): CommandIO {
  return {
    out: () => undefined,
    err: (line) => errors.push(line),
    defaultOut: '/nonexistent/benchmarks.json',
    defaultReport: '/nonexistent/benchmarks.md',
    signal: new AbortController().signal
  }
}
