import { setTimeout } from 'node:timers/promises'
import type { ComponentLogger, Stream } from '@libp2p/interface'
import {
  BootstrapError,
  type ClockSkew,
  ClockSkewError,
  DHT,
  getDHTTime,
  InvalidExpirationError
} from '@waggle/dht'
import { DEFAULT_LIMITS, MAX_CLOCK_SKEW } from '@waggle/record/replica'
import { describe, expect, it } from 'vitest'
import { CLOCK, CLOCK_PROTOCOL } from '../../src/clock/clock-messages.ts'
import { Talker } from '../support/exchange-talker.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { freeAddress } from '../support/loopback.ts'
import { rejection } from '../support/rejection.ts'
import { silentLog } from '../support/silent-log.ts'
import { skewedDHT } from '../support/skewed-node.ts'
import { stockNode } from '../support/stock-node.ts'

/** Milliseconds by which readings may be wrong on a busy machine. */
const TOLERANCE_MS = 1500

/** Milliseconds after which a peer tells its time. */
const LATE_MS = 3000

function skewsHeardBy(dht: DHT): ClockSkew[] {
  const heard: ClockSkew[] = []
  dht.addEventListener('clock:skew', ({ detail }) => heard.push(detail))
  return heard
}

describe('clocks that differ by more than three seconds', () => {
  it.each([
    ['ahead', 10],
    ['behind', -10]
  ])('are told of on both sides: a peer whose clock is %s (N8j)', async (_, aheadS) => {
    await using right = await DHT.create()
    const heard = skewsHeardBy(right)
    await using wrong = await skewedDHT(aheadS, { initialPeers: right.multiaddrs })
    const heardByWrong = skewsHeardBy(wrong)

    await expect.poll(() => heard, PATIENCE).toHaveLength(1)
    await expect.poll(() => heardByWrong.length, PATIENCE).toBe(1)
    const [skew] = heard as [ClockSkew]
    expect(skew.peerId.equals(wrong.peerId)).toBe(true)
    expect(Math.abs(skew.skewMs - aheadS * 1000)).toBeLessThan(skew.uncertaintyMs + 1)
    expect(skew.medianSkewMs).toBe(skew.skewMs)
    expect(skew.peerTime - skew.localTime).toBeCloseTo(skew.skewMs / 1000, 3)
    expect(Math.abs((right.stats().clockSkewMs ?? 0) - aheadS * 1000)).toBeLessThan(TOLERANCE_MS)
    expect(Math.abs((wrong.stats().clockSkewMs ?? 0) + aheadS * 1000)).toBeLessThan(TOLERANCE_MS)
  })

  it('can be told from one peer whose clock alone is wrong: by the median (N8j)', async () => {
    await using first = await DHT.create()
    const heard = skewsHeardBy(first)
    const initialPeers = first.multiaddrs
    await using second = await DHT.create({ initialPeers })
    await using third = await DHT.create({ initialPeers })
    await using fourth = await DHT.create({ initialPeers })
    await expect.poll(() => first.stats().knownPeers, PATIENCE).toBe(3)
    await using wrong = await skewedDHT(60, { initialPeers })

    await expect.poll(() => heard, PATIENCE).toHaveLength(1)
    expect(heard[0]?.peerId.equals(wrong.peerId)).toBe(true)
    expect(Math.abs(heard[0]?.medianSkewMs ?? Number.NaN)).toBeLessThan(TOLERANCE_MS)
    expect(Math.abs(first.stats().clockSkewMs ?? Number.NaN)).toBeLessThan(TOLERANCE_MS)
    expect([second, third, fourth]).toHaveLength(3)
  })
})

describe('a clock that differs', () => {
  it('is warned of by the logger, with both times and what to do (N8j)', async () => {
    const warnings: string[] = []
    const logger: ComponentLogger = {
      forComponent: (name) =>
        Object.assign(() => {}, {
          ...silentLog,
          error: (...said: unknown[]) => name === 'waggle:clock' && warnings.push(said.join(' '))
        })
    }
    await using wrong = await skewedDHT(10)
    await using right = await DHT.create({ initialPeers: wrong.multiaddrs, logger })

    await expect.poll(() => warnings, PATIENCE).toHaveLength(1)
    expect(right.stats().clockSkewMs).toBeGreaterThan(9000)
    expect(warnings[0]).toMatch(/WARNING: the clock of the peer .* differs from ours/)
    expect(warnings[0]?.match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g)).toHaveLength(2)
    expect(warnings[0]).toContain('NTP')
  })
})

describe('clocks that agree', () => {
  it('are nothing to tell of; stats() shows the difference (N8j)', async () => {
    await using first = await DHT.create()
    expect(first.stats().clockSkewMs).toBeUndefined()
    const heard = skewsHeardBy(first)
    await using second = await skewedDHT(1, { initialPeers: first.multiaddrs })

    await expect.poll(() => first.stats().clockSkewMs, PATIENCE).toBeDefined()
    await expect.poll(() => second.stats().clockSkewMs, PATIENCE).toBeDefined()
    expect(Math.abs((first.stats().clockSkewMs ?? 0) - 1000)).toBeLessThan(TOLERANCE_MS)
    expect(heard).toEqual([])
  })
})

describe('strictClock', () => {
  it('refuses to join with a wrong clock, and says what both show and what to do (N8j)', async () => {
    await using ahead = await skewedDHT(3600)
    const before = getDHTTime()
    const error = await rejection(DHT.create({ initialPeers: ahead.multiaddrs, strictClock: true }))

    expect(error).toBeInstanceOf(ClockSkewError)
    expect(error.name).toBe('ClockSkewError')
    expect(Math.round((error as ClockSkewError).skewMs / 60_000)).toBe(60)
    const times = [...error.message.matchAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g)].map(
      ([time]) => Date.parse(time) / 1000
    ) as [number, number]
    expect(times).toHaveLength(2)
    expect(times[1]).toBeGreaterThanOrEqual(before - 0.001)
    expect(Math.round((times[0] - times[1]) / 60)).toBe(60)
    expect(error.message).toContain(ahead.peerId.toString())
    expect(error.message).toContain('NTP')
    expect(error.message).toContain('strictClock')
  })

  it('refuses so even when no initial peer is required (N8j)', async () => {
    await using behind = await skewedDHT(-10)
    const initialPeers = [await freeAddress(), ...behind.multiaddrs.map(String)]

    expect(
      await rejection(DHT.create({ initialPeers, strictClock: true, requireBootstrap: false }))
    ).toBeInstanceOf(ClockSkewError)
  })

  it('is content with one initial peer whose clock agrees (N8j)', async () => {
    await using ahead = await skewedDHT(10)
    await using right = await DHT.create()
    const initialPeers = [...ahead.multiaddrs, ...right.multiaddrs]
    await using dht = await DHT.create({ initialPeers, strictClock: true })

    expect(dht.peers.map(String)).toContain(right.peerId.toString())
  })

  it('does not take a peer that nobody can reach for a clock (N8j)', async () => {
    const error = await rejection(
      DHT.create({
        initialPeers: await freeAddress(),
        strictClock: true,
        bootstrapTimeoutMs: 300
      })
    )

    expect(error).toBeInstanceOf(BootstrapError)
  })

  it('takes a peer that never tells its time for none that answered (N8j)', async () => {
    await using silent = await DHT.create()
    await silent.libp2p.unhandle(CLOCK_PROTOCOL)
    await silent.libp2p.handle(CLOCK_PROTOCOL, () => {})
    const options = { initialPeers: silent.multiaddrs, requestTimeoutMs: 300, strictClock: true }
    const error = await rejection(DHT.create(options))

    expect(error).toBeInstanceOf(BootstrapError)
    expect(error.message).toContain(`${silent.peerId} is reachable but does not report its time`)
    expect(error.message).toContain('requestTimeoutMs')
  })

  it('lets nodes join through stock peers, which tell no time (N1)', async () => {
    await using stock = await stockNode()
    await using dht = await DHT.create({
      initialPeers: stock.getMultiaddrs(),
      strictClock: true
    })

    expect(dht.stats().clockSkewMs).toBeUndefined()
  })
})

describe('a peer that tells nonsense for a time', () => {
  const nonsense: [string, (stream: Stream) => unknown][] = [
    ['no number', (stream) => stream.send(float64(Number.NaN))],
    ['no end of numbers', (stream) => stream.send(float64(Number.POSITIVE_INFINITY))],
    ['half a number', halfANumber],
    ['far too much', (stream) => stream.send(new Uint8Array(100_000))],
    ['nothing', () => {}]
  ]

  it.each(nonsense)('is not believed, nor waited for: %s (N9b)', async (_, answer) => {
    await using liar = await DHT.create()
    await liar.libp2p.unhandle(CLOCK_PROTOCOL)
    await liar.libp2p.handle(CLOCK_PROTOCOL, async (stream) => {
      await answer(stream)
    })
    await using dht = await DHT.create({ initialPeers: liar.multiaddrs, requestTimeoutMs: 500 })
    const heard = skewsHeardBy(dht)
    await using right = await DHT.create({ initialPeers: dht.multiaddrs })

    await expect.poll(() => dht.stats().clockSkewMs, PATIENCE).toBeDefined()
    expect(Math.abs(dht.stats().clockSkewMs ?? Number.NaN)).toBeLessThan(TOLERANCE_MS)
    expect(heard).toEqual([])
    expect(right.peers.length).toBeGreaterThan(0)
  })

  it('does not count if it comes late: where hosts are held up, equal clocks look apart (N8j)', async () => {
    await using slow = await DHT.create()
    const told = Promise.withResolvers<void>()
    await slow.libp2p.unhandle(CLOCK_PROTOCOL)
    await slow.libp2p.handle(CLOCK_PROTOCOL, async (stream) => {
      await setTimeout(LATE_MS)
      stream.send(float64(getDHTTime() + LATE_MS / 1000))
      told.resolve()
    })
    await using dht = await DHT.create({ initialPeers: slow.multiaddrs, requestTimeoutMs: 20_000 })
    await told.promise
    await using right = await DHT.create({ initialPeers: dht.multiaddrs })

    await expect.poll(() => dht.stats().clockSkewMs, PATIENCE).toBeDefined()
    expect(Math.abs(dht.stats().clockSkewMs ?? Number.NaN)).toBeLessThan(TOLERANCE_MS)
    expect(right.peers.length).toBeGreaterThan(0)
  })

  function halfANumber(stream: Stream): Promise<void> {
    stream.send(Uint8Array.of(0, 0, 0, 9, 1, 0, 0, 0, 0))
    return stream.close()
  }

  /** Makes a frame with a time. */
  function float64(value: number): Uint8Array {
    const frame = new Uint8Array([0, 0, 0, 9, 1, ...new Array(8).fill(0)])
    new DataView(frame.buffer).setFloat64(5, value)
    return frame
  }
})

describe('a node that tells the time', () => {
  it('does so on one stream again and again, and disconnects a peer that sends anything else (N9c)', async () => {
    await using dht = await DHT.create()
    await using client = await DHT.create({ clientMode: true, initialPeers: dht.multiaddrs })
    const [connection] = client.libp2p.getConnections(dht.peerId)
    const polite = new Talker((await connection?.newStream(CLOCK_PROTOCOL)) as Stream, CLOCK)
    polite.say({ name: 'ask' }, { name: 'ask' })

    for (let i = 0; i < 2; i++) {
      expect((await polite.hear('tell')).time).toBeCloseTo(getDHTTime(), -1)
    }

    const rude = await connection?.newStream(CLOCK_PROTOCOL)
    rude?.send(new Uint8Array(1000))
    await expect.poll(() => connection?.status, PATIENCE).not.toBe('open')
  })

  it('is no client: it serves nothing (N6)', async () => {
    await using dht = await DHT.create()
    await using client = await DHT.create({ clientMode: true, initialPeers: dht.multiaddrs })

    expect(client.libp2p.getProtocols()).not.toContain(CLOCK_PROTOCOL)
    expect(dht.libp2p.getProtocols()).toContain(CLOCK_PROTOCOL)
  })
})

describe('records between peers whose clocks differ by as much as is allowed', () => {
  const AHEAD_S = MAX_CLOCK_SKEW - 0.2

  it.each([
    ['ahead of', AHEAD_S],
    ['behind', -AHEAD_S]
  ])('can be stored with the longest time to live by a peer %s the others (R14)', async (_, s) => {
    await using first = await DHT.create()
    await using other = await skewedDHT(s, { initialPeers: first.multiaddrs })
    await using third = await DHT.create({ initialPeers: first.multiaddrs })
    await expect.poll(() => other.stats().knownPeers, PATIENCE).toBe(2)

    expect(await other.store('longest', 1, { ttl: DEFAULT_LIMITS.maxTtl })).toBe(true)
    expect(await third.get('longest', { latest: true })).toMatchObject({ value: 1 })
    expect(first.stats().records).toBe(1)
    expect(third.stats().records).toBe(1)
    await expect(
      other.store('longer', 1, { ttl: DEFAULT_LIMITS.maxTtl + 1 })
    ).rejects.toBeInstanceOf(InvalidExpirationError)
  })

  it('have one winner: the clock of the writer, not of the replica, counts (R2)', async () => {
    await using behind = await skewedDHT(-AHEAD_S)
    await using ahead = await skewedDHT(AHEAD_S / 2, { initialPeers: behind.multiaddrs })
    await expect.poll(() => behind.stats().knownPeers, PATIENCE).toBe(1)
    const expirationTime = getDHTTime() + 600

    expect(await behind.store('key', 'later', { expirationTime: expirationTime + 0.001 })).toBe(
      true
    )
    expect(await ahead.store('key', 'earlier', { expirationTime })).toBe(false)

    for (const dht of [behind, ahead]) {
      expect(await dht.get('key', { latest: true })).toMatchObject({ value: 'later' })
    }
  })
})
