import { randomBytes } from 'node:crypto'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  DataDirError,
  DHT,
  type DHTOptions,
  getDHTTime,
  ListenError,
  waggle,
  waggleKadDHT
} from '@waggle/dht'
import { MemoryDatastore } from 'datastore-core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { basicServices, libp2pNode } from '../support/libp2p-node.ts'
import { muteServer } from '../support/loopback.ts'
import { PeerProcess } from '../support/peer-process.ts'
import { rejection } from '../support/rejection.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts'

let directory: TemporaryDirectory
let dataDir: string

beforeEach(async () => {
  directory = await temporaryDirectory()
  dataDir = join(directory.path, 'data')
})

afterEach(() => directory[Symbol.asyncDispose]())

describe('DHT.create with a dataDir', () => {
  it('comes back as the same peer, with all that it held', async () => {
    const expirationTime = getDHTTime() + 600
    const first = await DHT.create({ dataDir })
    await first.store('key', ['i', 'love', 'bees'], { expirationTime })
    await first.store('party', 'yes', { subkey: 'alice', expirationTime })
    await first.stop()
    await using second = await DHT.create({ dataDir })

    expect(second.peerId.equals(first.peerId)).toBe(true)
    expect(await second.get('key')).toEqual({ value: ['i', 'love', 'bees'], expirationTime })
    expect(await second.get('party')).toEqual({
      value: new Map([['alice', { value: 'yes', expirationTime }]]),
      expirationTime
    })
    expect(second.stats()).toMatchObject({
      records: 2,
      persistence: { state: 'ok', durability: 'written', records: 2, restored: 2, damaged: 0 }
    })
  })

  it('keeps the directory and the private key in it from others', async () => {
    await using dht = await DHT.create({ dataDir })

    expect(dht.stats().persistence).toBeDefined()
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
    expect((await stat(join(dataDir, 'identity.key'))).mode & 0o777).toBe(0o600)
  })

  it('makes no key where one is named', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    const identityPath = join(directory.path, 'my.key')
    await (await DHT.create({ dataDir, identityPath })).stop()
    await using dht = await DHT.create({ dataDir, privateKey })

    expect(dht.peerId.equals(peerIdFromPrivateKey(privateKey))).toBe(true)
    expect(await readdir(directory.path)).toContain('my.key')
    expect(await readdir(dataDir)).not.toContain('identity.key')
  })

  it('writes at the end what is left, when it is relaxed', async () => {
    const first = await DHT.create({ dataDir, durability: 'relaxed' })
    await first.store('key', 1, { ttl: 600 })
    await first.stop()
    await using second = await DHT.create({ dataDir })

    expect(await second.get('key')).toMatchObject({ value: 1 })
  })

  it('keeps the identity of a client, which holds no records', async () => {
    const first = await DHT.create({ dataDir, clientMode: true })
    await first.stop()
    await using second = await DHT.create({ dataDir, clientMode: true })

    expect(second.peerId.equals(first.peerId)).toBe(true)
    expect(second.stats()).toMatchObject({ records: 0, persistence: { records: 0 } })
  })

  it('rejects when the directory is none, and leaves nothing running', async () => {
    await writeFile(dataDir, 'bees')
    const error = await rejection(DHT.create({ dataDir }))

    expect(error).toBeInstanceOf(DataDirError)
    expect(error.name).toBe('DataDirError')
    expect(error.message).toContain(`dataDir: can't use ${dataDir}: ${dataDir} is not a directory`)
  })

  it('lets go of the directory when it can not start', async () => {
    await using taken = await muteServer()
    expect(await rejection(DHT.create({ dataDir, listenOn: taken.address }))).toBeInstanceOf(
      ListenError
    )
    await using dht = await DHT.create({ dataDir })

    expect(dht.stats().persistence).toMatchObject({ state: 'ok' })
  })

  it('rejects when another process has the directory, naming both, until that is gone', async () => {
    await using other = await PeerProcess.start({ dataDir })
    await other.store('key', 1, { ttl: 600 })
    const error = await rejection(DHT.create({ dataDir }))

    expect(error).toBeInstanceOf(DataDirError)
    expect(error.message).toBe(
      `dataDir: ${dataDir} is in use by the process ${other.pid}. Stop it first, or give each node a directory of its own.`
    )

    await other.kill()
    await using dht = await DHT.create({ dataDir })
    expect(await dht.get('key')).toMatchObject({ value: 1 })
  })

  it('keeps what can be read of a damaged database, and says so in its stats', async () => {
    const first = await DHT.create({ dataDir })
    await first.store('key', 1, { ttl: 600 })
    await first.stop()
    await writeFile(join(dataDir, 'records', 'CURRENT'), 'bees')
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    await using second = await DHT.create({ dataDir })

    expect(await second.get('key')).toMatchObject({ value: 1 })
    expect(second.stats().persistence).toMatchObject({
      damaged: 0,
      damagedFiles: join(dataDir, 'records.damaged')
    })
    expect(warn).toHaveBeenCalledWith(expect.stringContaining(dataDir), 'WaggleWarning')
    warn.mockRestore()
  })
})

describe('DHT.create with a datastore', () => {
  it('keeps records in it, and leaves opening and closing to the caller', async () => {
    const datastore = Object.assign(new MemoryDatastore(), { open: vi.fn(), close: vi.fn() })
    const first = await DHT.create({ datastore })
    await first.store('key', 1, { ttl: 600 })
    await first.stop()
    await using second = await DHT.create({ datastore })

    expect(await second.get('key')).toMatchObject({ value: 1 })
    expect(second.peerId.equals(first.peerId)).toBe(false)
    expect(datastore.open).not.toHaveBeenCalled()
    expect(datastore.close).not.toHaveBeenCalled()
  })
})

describe('waggle with a dataDir, in a node of the caller', () => {
  it('keeps records from one start of the node to the next', async () => {
    const node = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT(),
      waggle: waggle({ dataDir })
    })
    const first = await DHT.create({ libp2p: node })
    await first.store('key', 1, { ttl: 600 })
    await node.stop()
    // The directory is free in between.
    await (await DHT.create({ dataDir })).stop()
    await node.start()
    const second = await DHT.create({ libp2p: node })

    expect(second.stats().persistence).toMatchObject({ restored: 1 })
    expect(await second.get('key')).toMatchObject({ value: 1 })
    await node.stop()
  })
})

describe('all peers of a network', () => {
  const PEERS = 5
  const KEYS = Array.from({ length: 100 }, (_, i) => `key ${i}`)

  function place(peer: number): DHTOptions {
    return { dataDir: join(directory.path, `peer ${peer}`) }
  }

  async function network(): Promise<PeerProcess[]> {
    const first = await PeerProcess.start(place(0))
    const others = Array.from({ length: PEERS - 1 }, (_, i) =>
      PeerProcess.start({ ...place(i + 1), initialPeers: first.multiaddrs })
    )
    return [first, ...(await Promise.all(others))]
  }

  it('come back after they were killed at once, and everything that is live is there', async () => {
    const expirationTime = getDHTTime() + 600
    const before = await network()
    await using writer = await DHT.create({
      clientMode: true,
      initialPeers: before[0]?.multiaddrs ?? []
    })
    const stored = await writer.storeMany(
      KEYS.flatMap((key) => [
        { key, value: key, expirationTime },
        { key: 'party', subkey: key, value: 'yes', expirationTime }
      ])
    )
    expect(stored.every(Boolean)).toBe(true)
    await Promise.all(before.map((peer) => peer.kill()))
    const after = await network()
    await using reader = await DHT.create({
      clientMode: true,
      initialPeers: after[0]?.multiaddrs ?? []
    })

    expect(await reader.getMany(KEYS, { latest: true })).toEqual(
      KEYS.map((value) => ({ value, expirationTime }))
    )
    expect(await reader.get('party', { latest: true })).toEqual({
      value: new Map(KEYS.map((key) => [key, { value: 'yes', expirationTime }])),
      expirationTime
    })
    await Promise.all(after.map((peer) => peer.kill()))
  })
})

describe('a peer whose disk is full', () => {
  /** Maximum blocks of a file: a megabyte, or half of one, by the size of a block. */
  const maxFileBlocks = 1024
  const VALUE_BYTES = 50_000

  it('refuses what it can not keep, serves from memory, and recovers', async () => {
    const stored: string[] = []
    const place = { dataDir, numReplicas: 1 }
    const peer = await PeerProcess.start(place, { maxFileBlocks })
    let refused: string | undefined

    for (let i = 0; refused === undefined && i < 100; i++) {
      const key = `key ${i}`
      const isStored = await peer
        .store(key, randomBytes(VALUE_BYTES), { ttl: 600 })
        .catch((error: Error) => {
          expect(error.message).toContain('NotStoredError')
          return false
        })

      if (isStored) {
        stored.push(key)
      } else {
        refused = key
      }
    }

    expect(refused).toBeDefined()
    expect((await peer.stats()).persistence).toMatchObject({
      state: 'failing',
      error: expect.stringContaining('IO error')
    })
    expect(await peer.get(refused ?? '')).toBeDefined()
    expect(await peer.get(stored[0] ?? '')).toBeDefined()

    // Each attempt begins a file of its own, which here is room enough.
    await vi.waitFor(
      async () => expect((await peer.stats()).persistence).toMatchObject({ state: 'ok' }),
      { timeout: 30_000, interval: 100 }
    )
    expect(await peer.store('after', 1, { ttl: 600 })).toBe(true)
    await peer.kill()

    await using again = await PeerProcess.start(place)
    for (const key of [...stored, 'after', refused ?? '']) {
      expect(await again.get(key), key).toBeDefined()
    }
  })
})
