import { getDHTTime } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRunning, PeerProcess } from '../support/peer-process.ts'

describe('three peers in processes of their own', () => {
  let first: PeerProcess
  let second: PeerProcess
  let third: PeerProcess

  beforeAll(async () => {
    first = await PeerProcess.start()
    ;[second, third] = await Promise.all([
      PeerProcess.start({ initialPeers: first.multiaddrs }),
      PeerProcess.start({ initialPeers: first.multiaddrs })
    ])
  })

  afterAll(async () => {
    for (const peer of [first, second, third]) {
      await peer?.[Symbol.asyncDispose]()
    }
  })

  it('are three', () => {
    const pids = [first, second, third].map(({ pid }) => pid)

    expect(new Set([process.pid, ...pids]).size).toBe(4)
    expect(pids.map(isRunning)).toEqual([true, true, true])
  })

  it('read in one what another one stored', async () => {
    const expirationTime = getDHTTime() + 600
    expect(await first.store('key', ['i', 'love', 'bees'], { expirationTime })).toBe(true)

    for (const peer of [first, second, third]) {
      expect(await peer.get('key', { latest: true })).toEqual({
        value: ['i', 'love', 'bees'],
        expirationTime
      })
    }
  })

  it('read what a peer stored that knows neither of their addresses', async () => {
    const expirationTime = getDHTTime() + 600
    expect(await second.store(['from', 2], 5n, { expirationTime })).toBe(true)

    expect(await third.get(['from', 2])).toEqual({ value: 5n, expirationTime })
  })

  it('make one party of what each of them stored', async () => {
    const expirationTime = getDHTTime() + 600
    const guests = { alice: 'yes', bob: 'maybe', carol: 'no' }
    const peers = [first, second, third]

    const answers = await Promise.all(
      Object.entries(guests).map(([subkey, answer], i) =>
        peers[i]?.store('party', answer, { subkey, expirationTime })
      )
    )

    expect(answers).toEqual([true, true, true])

    for (const peer of peers) {
      expect(await peer.get('party', { latest: true })).toEqual({
        value: new Map(
          Object.entries(guests).map(([name, value]) => [name, { value, expirationTime }])
        ),
        expirationTime
      })
    }
  })

  it('go on when one of them is killed, and lose nothing (N8b)', async () => {
    expect(await first.store('survivor', 'before', { ttl: 600 })).toBe(true)
    await first.kill()

    expect(isRunning(first.pid)).toBe(false)
    expect(await second.get('survivor', { latest: true })).toMatchObject({ value: 'before' })
    expect(await third.store('survivor', 'after', { ttl: 900 })).toBe(true)
    expect(await second.get('survivor', { latest: true })).toMatchObject({ value: 'after' })
  })

  it('take in a new one that joins by any of them (N8f)', async () => {
    await using fourth = await PeerProcess.start({ initialPeers: second.multiaddrs })

    expect(await fourth.get('survivor')).toMatchObject({ value: 'after' })
    expect(await fourth.stop()).toBe(0)
    expect(isRunning(fourth.pid)).toBe(false)
  })

  it('end by themselves when they are stopped', async () => {
    expect(await Promise.all([second.stop(), third.stop()])).toEqual([0, 0])
    expect([first, second, third].map(({ pid }) => isRunning(pid))).toEqual([false, false, false])
  })
})
