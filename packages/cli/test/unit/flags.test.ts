import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { DHT_OPTIONS } from '../../../dht/src/node/settings.ts'
import { programFor } from '../../src/run.ts'
import { FLAGS, withFlags } from '../../src/text/flags.ts'
import { testIO } from '../support/test-io.ts'

/** Options of calls, which have no table of their own. */
const CALL_OPTIONS = ['count', 'expirationTime', 'latest', 'renewals', 'subkey', 'timeoutMs', 'ttl']

/** Options of the command line that are no option of a library. */
const OWN = [
  ...['--answer', '--continue-on-error', '--control', '--dashboard', '--dashboard-host'],
  ...['--dashboard-write', '--hivemind', '--http', '--http-host', '--json', '--keys-from'],
  ...['--local-port', '--metrics-host', '--metrics-port', '--near', '--node', '--output', '--port'],
  ...['--raw', '--refresh-period']
]

const { commands } = programFor(testIO(), false).commander
const exposed = [...new Set(commands.flatMap((command: Command) => command.options))]
  .map(({ long }) => String(long))
  .filter((long) => !OWN.includes(long))

describe('withFlags', () => {
  it('knows every option of the command line that a library takes', () => {
    expect(new Set(exposed)).toEqual(new Set(Object.values(FLAGS)))
  })

  it('knows only options that the libraries have', () => {
    const all = [...Object.keys(DHT_OPTIONS), ...CALL_OPTIONS]
    expect(Object.keys(FLAGS).filter((name) => !all.includes(name))).toEqual([])
  })

  it.each(Object.entries(FLAGS))('calls %s what the command line does: %s', (name, flag) => {
    expect(withFlags(`${name} must be so, got 3`)).toBe(`${flag} must be so, got 3`)
    expect(withFlags(`${name}: no file. Or leave out ${name}.`)).toBe(
      `${flag}: no file. Or leave out ${flag}.`
    )
    expect(withFlags(`it can't be combined with ${name}`)).toBe(`it can't be combined with ${flag}`)
    expect(withFlags(`use ${flag} instead`)).toBe(`use ${flag} instead`)
  })

  it.each([
    'the peer does not speak the protocol',
    'no relay is reachable',
    'a count of 3, and the latest subkey',
    '/tmp/identityPath is taken'
  ])('leaves words of English and of others alone: %s', (message) => {
    expect(withFlags(message)).toBe(message)
  })

  it('puts names that have no flag into words, and leaves out what a command cannot do', () => {
    expect(withFlags('busier than requestTimeoutMs allows for')).toBe(
      'busier than the time limit of a request allows for'
    )
    expect(
      withFlags('clocks differ: correct it, or pass strict: false to join all the same.')
    ).toBe('clocks differ: correct it.')
  })
})
