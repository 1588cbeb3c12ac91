import { Dictionary } from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { eventsOf, guestsOf } from '../../src/party/guests.ts'

const dictionary = (answers: Record<string, string>): Parameters<typeof guestsOf>[0] => ({
  expirationTime: 10,
  value: new Dictionary(
    Object.entries(answers).map(([name, value]) => [name, { value, expirationTime: 10 }])
  )
})

describe('guestsOf', () => {
  it('sorts the guests by name', () => {
    expect(guestsOf(dictionary({ bob: 'no', alice: 'yes' })).map(({ name }) => name)).toEqual([
      'alice',
      'bob'
    ])
  })

  it('keeps a terminal safe from what guests write', () => {
    const [guest] = guestsOf(dictionary({ '\u001b[2J': '\u009b1m' }))
    expect(guest).toMatchObject({ name: '"\\u001b[2J"', answer: '"\\u009b1m"' })
  })

  it('finds nobody where there is no dictionary', () => {
    expect(guestsOf(undefined)).toEqual([])
    expect(guestsOf({ value: 1, expirationTime: 10 })).toEqual([])
  })
})

describe('eventsOf', () => {
  it('tells arrivals, departures and changed answers, but no renewals', () => {
    const yes = { value: 'yes', expirationTime: 10 }
    const no = { value: 'no', expirationTime: 10 }

    expect(
      eventsOf(
        [
          { type: 'removed', subkey: 'carol', before: yes, reason: 'expired' },
          { type: 'changed', subkey: 'bob', before: yes, found: no },
          { type: 'renewed', subkey: 'erin', before: no, found: no },
          { type: 'added', subkey: 'dave', found: yes },
          { type: 'added', subkey: undefined, found: yes }
        ],
        7
      )
    ).toEqual([
      { time: 7, text: 'carol has gone' },
      { time: 7, text: 'bob now says no' },
      { time: 7, text: 'dave is here and says yes' }
    ])
  })
})
