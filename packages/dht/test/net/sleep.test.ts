import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MIN_TESTED_SLEEP_MS } from '../../src/service/after-sleep.ts'
import { MIN_SLEEP_MS } from '../../src/timing/sleep-detector.ts'
import { PATIENCE } from '../support/libp2p-node.ts'
import { PeerProcess } from '../support/peer-process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const HOUR_MS = 3_600_000
const LONG = { ttl: 24 * 3600 }

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

describe('a process that was stopped and goes on', { timeout: 120_000 }, () => {
  it('notices, and answers with what others have written meanwhile (N8l)', async () => {
    await using first = await PeerProcess.start()
    const initialPeers = [...first.multiaddrs]
    await using sleeper = await PeerProcess.start({ initialPeers })
    await using other = await PeerProcess.start({ initialPeers })
    await expect.poll(async () => (await other.stats()).peers, PATIENCE).toBe(2)
    await first.store('key', 'old', LONG)
    await expect.poll(async () => (await sleeper.stats()).records, PATIENCE).toBe(1)
    sleeper.suspend()

    try {
      await pause(2 * MIN_SLEEP_MS)
      expect(await other.store('key', 'new', { ttl: 25 * 3600 })).toBe(true)
    } finally {
      sleeper.resume()
    }

    await expect.poll(() => sleeper.events(), PATIENCE).toEqual(['node:wake'])
    expect((await sleeper.get('key'))?.value).toBe('new')
  })
})

describe('two processes that were stopped', { timeout: 120_000 }, () => {
  it('keep their connection if that was short, and close a dead one soon if it was not (N8l)', async () => {
    await using one = await PeerProcess.start()
    await using other = await PeerProcess.start({ initialPeers: [...one.multiaddrs] })
    const isConnected = async () =>
      (await one.stats()).peers === 1 && (await other.stats()).peers === 1
    await expect.poll(isConnected, PATIENCE).toBe(true)
    await stopped([one, other], MIN_SLEEP_MS + 2000)

    for (const peer of [one, other]) {
      await expect.poll(() => peer.events(), PATIENCE).toEqual(['node:wake'])
      await peer.store('key', 'value', LONG)
    }

    other.suspend()
    // As when the machine sleeps: its timers stand still.
    await one.moveClock(2 * MIN_TESTED_SLEEP_MS)
    await expect.poll(() => one.events(), PATIENCE).toContain('peer:disconnect')
    other.resume()
  })
})

/** Stops processes for a while. */
async function stopped(peers: readonly PeerProcess[], ms: number): Promise<void> {
  for (const peer of peers) {
    peer.suspend()
  }

  try {
    await pause(ms)
  } finally {
    for (const peer of peers) {
      peer.resume()
    }
  }
}

describe('a node whose clock is an hour ahead when it starts', { timeout: 120_000 }, () => {
  it('keeps on disk what has expired for it alone, and has it when the clock is set (N8m)', async () => {
    await using directory = await temporaryDirectory()
    const options = { dataDir: join(directory.path, 'data') }
    await using before = await PeerProcess.start(options)
    await before.store('key', 'value', { ttl: 1800 })
    await before.stop()
    await using early = await PeerProcess.start(options, { clockAheadMs: HOUR_MS })
    expect(await early.get('key')).toBeUndefined()

    await early.moveClock(-HOUR_MS)
    expect((await early.get('key'))?.value).toBe('value')
    await early.stop()
    await using after = await PeerProcess.start(options)
    expect((await after.get('key'))?.value).toBe('value')
  })
})
