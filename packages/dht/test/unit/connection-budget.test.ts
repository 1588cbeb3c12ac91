import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ConnectedPeer,
  GREETING_MS,
  KEPT_PER_DISTANCE,
  nextChoiceMs,
  peersToDisconnect,
  RECHECK_MS,
  SHORT_GRACE_MS,
  type Watermarks
} from '../../src/connections/budget-rule.ts'
import { assertConnectionOptions, watermarksOf } from '../../src/connections/watermarks.ts'

const NOW_MS = 100_000
const marks: Watermarks = {
  ...{ low: 8, high: 12, lowTotal: 16, highTotal: 20, fullTotal: 22 },
  graceMs: 20_000
}

const anyPeer = fc.record({
  connections: fc.constantFrom(1, 1, 1, 2),
  role: fc.constantFrom('server', 'client', 'unidentified'),
  host: fc.constantFrom('a', 'b', 'c'),
  sharedBits: fc.nat(4),
  isNeighbour: fc.boolean(),
  isBusy: fc.boolean(),
  openedAtMs: fc.constantFrom(0, NOW_MS - 10_000, NOW_MS - 100),
  usedAtMs: fc.nat(NOW_MS)
})
const anyPeers = fc
  .array(anyPeer, { maxLength: 40 })
  .map((peers) => peers.map((peer, i): ConnectedPeer => ({ name: `${i}`, ...peer })))

function servers(count: number, change: Partial<ConnectedPeer> = {}): ConnectedPeer[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ name: `server ${i}`, role: 'server', host: 'a', sharedBits: i % 4, isNeighbour: false },
    connections: 1,
    ...{ isBusy: false, openedAtMs: 0, usedAtMs: i },
    ...change
  }))
}

function clients(count: number, change: Partial<ConnectedPeer> = {}): ConnectedPeer[] {
  return servers(count, { role: 'client', ...change }).map((peer) => ({
    ...peer,
    name: `client ${change.host ?? ''} ${peer.name}`
  }))
}

function totalOf(peers: readonly ConnectedPeer[]): number {
  return peers.reduce((sum, { connections }) => sum + connections, 0)
}

describe('peersToDisconnect', () => {
  it('leaves alone what is under way or new, but for a crowded node and its largest machine (N10a)', () => {
    fc.assert(
      fc.property(anyPeers, (peers) => {
        const chosen = new Set(peersToDisconnect(peers, marks, NOW_MS))
        const gone = peers.filter(({ name }) => chosen.has(name))
        const total = totalOf(peers)

        if (total <= marks.highTotal) {
          expect(gone.filter(({ isBusy }) => isBusy)).toEqual([])
          expect(gone.filter(({ openedAtMs }) => openedAtMs > 0)).toEqual([])
        }

        if (total <= marks.fullTotal && new Set(peers.map(({ host }) => host)).size === 1) {
          expect(gone.filter(({ openedAtMs }) => openedAtMs > NOW_MS - SHORT_GRACE_MS)).toEqual([])
        }

        if (new Set(peers.map(({ host }) => host)).size === 1) {
          expect(gone.filter(({ isBusy }) => isBusy)).toEqual([])
        }
      })
    )
  })

  it('disconnects nobody between the watermarks, and never goes below the low one (N10a)', () => {
    fc.assert(
      fc.property(anyPeers, (peers) => {
        const chosen = new Set(peersToDisconnect(peers, marks, NOW_MS))
        const left = peers.filter(({ name }) => !chosen.has(name))
        const serversLeft = left.filter(({ role }) => role === 'server').length
        const serverCount = peers.filter(({ role }) => role === 'server').length
        const isCrowded = totalOf(peers) > marks.highTotal

        if (serverCount <= marks.high && !isCrowded) {
          expect(chosen.size).toBe(0)
        } else if (!isCrowded) {
          expect(serversLeft).toBeGreaterThanOrEqual(marks.low)
        } else {
          expect(left.length).toBeGreaterThanOrEqual(Math.min(peers.length, marks.low / 2))
        }
      })
    )
  })

  it('comes to rest: what it has left, it leaves (N10a)', () => {
    fc.assert(
      fc.property(anyPeers, (peers) => {
        const chosen = new Set(peersToDisconnect(peers, marks, NOW_MS))
        const left = peers.filter(({ name }) => !chosen.has(name))
        const again = peersToDisconnect(left, marks, NOW_MS)
        const serversLeft = left.filter(({ role }) => role === 'server').length

        if (totalOf(left) <= marks.highTotal && serversLeft <= marks.high) {
          expect(again).toEqual([])
        }
      })
    )
  })

  it('takes the least recently used ones first, down to the low watermark (N10a)', () => {
    const peers = servers(marks.high + 1, { sharedBits: 0 })
    const oldest = peers.slice(0, marks.high + 1 - marks.low).map(({ name }) => name)
    expect(peersToDisconnect(peers, marks, NOW_MS)).toEqual(oldest)
  })

  it('keeps neighbours, and the last used of each distance, however long they are idle (N10a)', () => {
    const near = servers(2, { isNeighbour: true, usedAtMs: -10 })
    const far = servers(2, { sharedBits: 9, usedAtMs: -5 }).map((one) => ({
      ...one,
      name: `far ${one.name}`
    }))
    const others = servers(marks.high, { sharedBits: 1 }).map((one) => ({
      ...one,
      name: `other ${one.name}`
    }))
    const chosen = peersToDisconnect([...near, ...far, ...others], marks, NOW_MS)
    expect(far).toHaveLength(KEPT_PER_DISTANCE)
    expect([...near, ...far].filter(({ name }) => chosen.includes(name))).toEqual([])
    expect(chosen).toHaveLength(marks.high + 4 - marks.low)
  })

  it('counts clients apart: they displace no server, and no server displaces them (N10a)', () => {
    const peers = [...servers(marks.high), ...clients(marks.highTotal - marks.high)]
    expect(peersToDisconnect(peers, marks, NOW_MS)).toEqual([])
    const more = [...servers(marks.high), ...clients(marks.highTotal + 1 - marks.high)]
    const chosen = peersToDisconnect(more, marks, NOW_MS)
    expect(chosen.every((name) => name.startsWith('client'))).toBe(true)
    expect(more.length - chosen.length).toBe(marks.lowTotal)
  })

  it('makes room at the cost of unidentified peers first (N10a)', () => {
    const peers = [...clients(18), ...servers(3, { role: 'unidentified', usedAtMs: NOW_MS })]
    const chosen = peersToDisconnect(peers, marks, NOW_MS)
    expect(chosen.slice(0, 3)).toEqual(['server 0', 'server 1', 'server 2'])
    expect(chosen).toHaveLength(peers.length - marks.lowTotal)
  })

  it('keeps room for the next newcomer, at the cost of new peers if need be (N10a)', () => {
    const old = clients(3, { openedAtMs: NOW_MS - SHORT_GRACE_MS })
    const burst = servers(22, { role: 'unidentified', openedAtMs: NOW_MS })
    const chosen = peersToDisconnect([...old, ...burst], marks, NOW_MS)
    // Connections that have waited long enough are closed first, then the oldest of the burst.
    expect(chosen).toEqual([...old.map(({ name }) => name)])
    const more = servers(26, { role: 'unidentified', openedAtMs: NOW_MS })
    expect(peersToDisconnect(more, marks, NOW_MS)).toEqual([0, 1, 2, 3].map((i) => `server ${i}`))
  })

  it('admits newcomers to a node that new peers have filled: those that just arrived go last (N10a)', () => {
    const served = servers(22, { openedAtMs: NOW_MS - 1, usedAtMs: NOW_MS })
    const arrival = servers(1, { role: 'unidentified', openedAtMs: NOW_MS }).map((one) => ({
      ...one,
      name: 'arrival'
    }))
    expect(peersToDisconnect([...served, ...arrival], marks, NOW_MS)).toEqual(['server 0'])
    const silent = arrival.map((one) => ({ ...one, openedAtMs: NOW_MS - GREETING_MS }))
    expect(peersToDisconnect([...served, ...silent], marks, NOW_MS)).toEqual(['arrival'])
  })

  it('serves a client once before it makes room for the next one (N10a)', () => {
    const served = clients(21, { openedAtMs: NOW_MS - 100, usedAtMs: NOW_MS })
    const waiting = clients(2, { host: 'a', openedAtMs: NOW_MS - 200, usedAtMs: NOW_MS - 200 })
    const named = waiting.map((one) => ({ ...one, name: `waiting ${one.name}` }))
    const chosen = peersToDisconnect([...named, ...served], marks, NOW_MS)
    expect(chosen).toEqual([served[0]?.name])
  })

  it('makes room at the cost of the machine with most peers when all are busy (N10a)', () => {
    const honest = clients(5, { host: 'b', isBusy: true, openedAtMs: NOW_MS })
    const flood = clients(20, { host: 'flood', isBusy: true, openedAtMs: NOW_MS })
    const chosen = peersToDisconnect([...honest, ...flood], marks, NOW_MS)
    expect(chosen).toHaveLength(5)
    expect(chosen.every((name) => name.startsWith('client flood'))).toBe(true)
  })
})

describe('nextChoiceMs', () => {
  it('is when the first new connection may be closed, if there are too many (N10a)', () => {
    expect(nextChoiceMs(servers(marks.high), marks, NOW_MS)).toBeUndefined()
    const peers = servers(marks.high + 1, { openedAtMs: NOW_MS - 1000 })
    expect(nextChoiceMs(peers, marks, NOW_MS)).toBe(marks.graceMs - 1000)
    const crowd = clients(marks.highTotal + 1, { openedAtMs: NOW_MS - 1000 })
    expect(nextChoiceMs(crowd, marks, NOW_MS)).toBe(SHORT_GRACE_MS - 1000)
  })

  it('comes again while too many have requests in flight (N10a)', () => {
    const old = { openedAtMs: NOW_MS - 10 * marks.graceMs, isBusy: true }
    expect(nextChoiceMs(servers(marks.high + 1, old), marks, NOW_MS)).toBe(marks.graceMs)
    expect(nextChoiceMs(clients(marks.highTotal + 1, old), marks, NOW_MS)).toBe(RECHECK_MS)
    const impatient = { ...marks, graceMs: 0 }
    expect(nextChoiceMs(servers(marks.high + 1, old), impatient, NOW_MS)).toBe(SHORT_GRACE_MS)
  })
})

describe('watermarksOf', () => {
  it('keeps to its defaults within the limit of libp2p (N10a)', () => {
    const { low, high, highTotal } = watermarksOf({}, 300)
    expect([low, high, highTotal]).toEqual([64, 96, 255])
  })

  it.each([12, 24, 30, 40])('stays below a limit of %i connections (N10a)', (max) => {
    const { low, high, lowTotal, highTotal } = watermarksOf({}, max)
    expect(low).toBeLessThan(high)
    expect(high).toBeLessThanOrEqual(lowTotal)
    expect(lowTotal).toBeLessThan(highTotal)
    expect(highTotal).toBeLessThan(max)
  })

  it('refuses watermarks that can not be kept', () => {
    const check = (value: unknown) => () => assertConnectionOptions(value, 'connections')
    expect(check({ low: 8, high: 12, graceMs: 0 })).not.toThrow()
    expect(check({ low: 12, high: 12 })).toThrow(TypeError)
    expect(check({ low: 200 })).toThrow(
      /connections.low must be less than connections.high, 96, got 200/
    )
    expect(check({ high: 0 })).toThrow(TypeError)
    expect(check({ graceMs: -1 })).toThrow(/connections.graceMs/)
    expect(check({ hi: 1 })).toThrow('connections has no option hi: did you mean high?')
  })
})
