import { renderToString } from 'ink'
import type { ReactElement } from 'react'
import { describe, expect, it } from 'vitest'
import type { Overview } from '../../src/control/overview.ts'
import type { Guest } from '../../src/party/guests.ts'
import { PartyScreen } from '../../src/screens/party-screen.tsx'
import { ratesBetween } from '../../src/screens/rates.ts'
import { Colourful } from '../../src/screens/styled.tsx'
import { TopScreen } from '../../src/screens/top-screen.tsx'

const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 160, rows: 50 },
  { columns: 60, rows: 12 },
  { columns: 50, rows: 24 }
]

const PEER_ID = '12D3KooWR6J2NY2PdzNLweVwBGL48mbTVvZTCrTRSbqdQpwztZog'

/** A node that holds as much as it may, with the longest names that there are. */
const overview: Overview = {
  peerId: PEER_ID,
  pid: 1,
  version: '10.10.10',
  uptimeSeconds: 1_000_000,
  localPort: 1337,
  addresses: [`/ip4/203.0.113.255/tcp/65535/p2p/${PEER_ID}`],
  counters: { stored: 10, expired: 5, receivedBytes: 1e9, sentBytes: 1e9, cpuSeconds: 3 },
  stats: {
    records: 100_000,
    bytes: 268_435_456,
    peers: 999,
    knownPeers: 9999,
    dials: 999_999,
    refusedDials: 99_999,
    cachedRecords: 10_000,
    cachedBytes: 1e8,
    cacheHits: 12_345_678
  } as Overview['stats'],
  position: 0.25,
  peers: [0, 0.5, 0.999].map((position) => ({ id: String(position), position })),
  records: Array.from({ length: 200 }, (_, i) => ({
    key: `"key ${i} ${'日本'.repeat(90)}"`,
    value: 'x'.repeat(200),
    position: i / 200,
    expirationTime: 1000 + i
  }))
}

const guests: Guest[] = Array.from({ length: 100 }, (_, i) => ({
  name: `guest ${i} ${'🐝'.repeat(40)}`,
  answer: i % 2 === 0 ? 'yes' : 'no',
  expirationTime: 1000 + i
}))
const events = guests.map(({ name }, time) => ({ time, text: `${name} is here and says yes` }))

function lines(element: ReactElement, columns: number): string[] {
  const plain = <Colourful.Provider value={false}>{element}</Colourful.Provider>
  return renderToString(plain, { columns }).split('\n')
}

/** Columns of a terminal, of which wide characters take two. */
function width(text: string): number {
  return Array.from(text, (character) => (/[日本🐝]/u.test(character) ? 2 : 1)).reduce<number>(
    (sum, columns) => sum + columns,
    0
  )
}

describe.each(SIZES)('on a screen of $columns × $rows', (size) => {
  const rates = ratesBetween({ ...overview, uptimeSeconds: 999_999 }, overview)
  const screens = {
    'waggle top': lines(
      <TopScreen {...size} overview={overview} rates={rates} now={990} />,
      size.columns
    ),
    'waggle party': lines(
      <PartyScreen {...size} name="me" address="" guests={guests} events={events} now={990} />,
      size.columns
    )
  }

  it.each(Object.entries(screens))('%s fills no more than that', (_name, shown) => {
    expect(shown.length).toBeLessThan(size.rows)
    expect(Math.max(...shown.map(width))).toBeLessThanOrEqual(size.columns)
  })

  it('says how to leave', () => {
    expect(screens['waggle top'][0]).toMatch(/waggle 10.10.10 .* q quits$/)
    expect(screens['waggle party'][0]).toMatch(/The party: 100 guests .* q leaves$/)
  })

  it('shows as many records as there is room for', () => {
    const records = screens['waggle top'].filter((line) => line.includes('"key'))
    expect(records.length).toBe(Math.max(size.rows - 15, 0))
  })
})

describe('the screen of the party', () => {
  it('says how many there is no room for', () => {
    const text = lines(
      <PartyScreen
        columns={80}
        rows={24}
        name="me"
        address=""
        guests={guests}
        events={events}
        now={990}
      />,
      80
    ).join('\n')
    expect(text).toMatch(/and 9\d more/)
  })

  it('tells guests of other machines where to', () => {
    const text = lines(
      <PartyScreen
        columns={80}
        rows={24}
        name="me"
        address={`/ip4/10.0.0.1/tcp/1337/p2p/${PEER_ID}`}
        guests={[]}
        events={[]}
        now={0}
      />,
      80
    ).join('\n')
    expect(text).toContain('waggle party <name> -p 10.0.0.1:1337')
  })
})
