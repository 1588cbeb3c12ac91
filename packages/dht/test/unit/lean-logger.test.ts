import type { ComponentLogger, Logger } from '@libp2p/interface'
import { disable, enable } from '@libp2p/logger'
import { afterEach, describe, expect, it } from 'vitest'
import { leanLogger } from '../../src/node/lean-logger.ts'

/** A logger that notes its lines, and the loggers that are made of it. */
function noted(): { logger: ComponentLogger; made: string[]; lines: unknown[][] } {
  const made: string[] = []
  const lines: unknown[][] = []
  const forComponent = (name: string): Logger => {
    made.push(name)
    const note =
      (kind: string) =>
      (...args: unknown[]): void =>
        void lines.push([kind, ...args])
    return Object.assign(note('log'), {
      enabled: true,
      error: note('error'),
      trace: note('trace'),
      newScope: (scope: string) => forComponent(`${name}:${scope}`)
    })
  }
  return { logger: { forComponent }, made, lines }
}

function writeAll(log: Logger): void {
  log('one %d', 1)
  log.error('two %d', 2)
  log.trace('three %d', 3)
}

describe('leanLogger', () => {
  afterEach(() => void disable())

  it('makes no logger of libp2p while none is enabled', () => {
    const { logger, made, lines } = noted()
    const log = leanLogger(logger).forComponent('test')
    writeAll(log)
    writeAll(log.newScope('scope').newScope('inner'))
    expect([log.enabled, made, lines]).toEqual([false, [], []])
  })

  it("gives libp2p's own logger for a name that is enabled", () => {
    enable('test:scope*')
    const { logger, made, lines } = noted()
    const log = leanLogger(logger).forComponent('test')
    writeAll(log)
    expect(lines).toEqual([])
    writeAll(log.newScope('scope'))
    expect(lines).toEqual([
      ['log', 'one %d', 1],
      ['error', 'two %d', 2],
      ['trace', 'three %d', 3]
    ])
    expect(made).toEqual(['test:scope'])
  })

  it("gives libp2p's own logger where only errors or traces are enabled, as it writes them itself", () => {
    enable('test:error,other:trace')
    const { logger, made } = noted()
    leanLogger(logger).forComponent('test')
    leanLogger(logger).forComponent('other')
    expect(made).toEqual(['test', 'other'])
  })

  it('writes from the moment that the name is enabled, by one logger', () => {
    const { logger, made, lines } = noted()
    const log = leanLogger(logger).forComponent('test')
    enable('test')
    writeAll(log)
    enable('test*')
    writeAll(log)
    expect(lines.map(([kind]) => kind)).toEqual(['log', 'log', 'error'])
    expect(made).toEqual(['test'])
  })
})
