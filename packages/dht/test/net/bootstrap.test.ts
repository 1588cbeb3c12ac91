import { setTimeout } from 'node:timers/promises'
import type { Libp2p, ServiceMap, Startable } from '@libp2p/interface'
import { BootstrapError, DHT, type DHTOptions, waggle, waggleKadDHT } from '@waggle/dht'
import { testnet } from '@waggle/dht/testnet'
import { describe, expect, it } from 'vitest'
import { basicServices, libp2pNode, PATIENCE, UNHURRIED } from '../support/libp2p-node.ts'
import { freeAddress, muteServer } from '../support/loopback.ts'
import { tcpGate } from '../support/tcp-gate.ts'

const IDENTIFY = '/ipfs/id/1.0.0'

/** Returns an address as errors show it. */
function multiaddrOf(address: string): string {
  const [host, port] = address.split(':')
  return `/ip4/${host}/tcp/${port}`
}

async function bootstrapErrorOf(options: DHTOptions): Promise<BootstrapError> {
  const error = await DHT.create(options).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(BootstrapError)
  return error as BootstrapError
}

describe('initialPeers', () => {
  it('need only one that can be reached (N8f)', async () => {
    await using first = await DHT.create()
    await first.store('key', 'value', { ttl: 600 })
    const initialPeers = [await freeAddress(), ...first.multiaddrs, await freeAddress()]
    await using second = await DHT.create({ initialPeers })

    expect(await second.get('key')).toMatchObject({ value: 'value' })
  })

  it('need only one that answers, however long the others stay silent (N8f)', async () => {
    await using first = await DHT.create()
    await using mute = await muteServer()
    await first.store('key', 'value', { ttl: 600 })
    const initialPeers = [mute.address, ...first.multiaddrs]
    await using second = await DHT.create({ initialPeers, bootstrapTimeoutMs: 600_000 })

    expect(await second.get('key')).toMatchObject({ value: 'value' })
  })

  it('are each named with the reason when none can be reached (N8g)', async () => {
    const initialPeers = [await freeAddress(), await freeAddress()]
    const error = await bootstrapErrorOf({ initialPeers, bootstrapTimeoutMs: 300 })

    expect(error.name).toBe('BootstrapError')
    expect(error.attempts.map(({ address }) => address)).toEqual(initialPeers.map(multiaddrOf))

    for (const { address, error: reason } of error.attempts) {
      expect(reason.message).toContain('ECONNREFUSED')
      expect(error.message).toContain(`${address}: ${reason.message}`)
    }
  })

  it('are given up after bootstrapTimeoutMs when none answers (N8f)', async () => {
    await using mute = await muteServer()
    const error = await bootstrapErrorOf({
      initialPeers: [mute.address],
      bootstrapTimeoutMs: 300
    })

    expect(error.message).toContain(`${multiaddrOf(mute.address)}: no answer within 300 ms`)
  })

  it('may be slower than libp2p waits for an address (N8f)', async () => {
    await using first = await DHT.create()
    const [port] = first.multiaddrs.map((address) => /tcp\/(\d+)/.exec(address.toString())?.[1])
    await using gate = await tcpGate(() => `127.0.0.1:${port}`)
    gate.cut()
    const joining = DHT.create({
      initialPeers: gate.address,
      bootstrapTimeoutMs: 20_000,
      libp2pOptions: { connectionManager: { addressDialTimeout: 300 } }
    })
    await expect.poll(() => gate.opened, PATIENCE).toBeGreaterThan(0)
    // The connection that has been opened stays dead: only another one can get through.
    gate.mend()
    await using second = await joining

    expect(second.peers.map(String)).toEqual([first.peerId.toString()])
    expect(gate.opened).toBeGreaterThan(1)
  })

  it('are dialled again when a connection ends at once, or stays silent (N8f)', async () => {
    await using first = await DHT.create()
    const { libp2p } = first
    const { identify } = libp2p.services as unknown as { readonly identify: Startable }
    const opened = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    let count = 0
    libp2p.addEventListener('connection:open', ({ detail }) => {
      count++
      count === 1 ? detail.abort(new Error('not now')) : opened.resolve()
    })
    libp2p.addEventListener('connection:close', () => count > 1 && ended.resolve())
    await identify.stop()
    // Requests of identify get no answer.
    await libp2p.handle(IDENTIFY, () => {})
    const joining = DHT.create({ initialPeers: first.multiaddrs, bootstrapTimeoutMs: 60_000 })
    await opened.promise
    await ended.promise
    await libp2p.unhandle(IDENTIFY)
    await identify.start()
    await using second = await joining

    expect(second.peers.map(String)).toEqual([first.peerId.toString()])
    expect(count).toBeGreaterThan(2)
  })

  it('are tried again until bootstrapTimeoutMs while they refuse (N8f)', async () => {
    const address = await freeAddress()
    const joining = DHT.create({ initialPeers: address, bootstrapTimeoutMs: 60_000 })
    let isSettled = false
    joining.finally(() => {
      isSettled = true
    })
    await setTimeout(500)
    expect(isSettled).toBe(false)

    await using late = await DHT.create({ listenOn: address })
    await using early = await joining
    expect(early.peers.map(String)).toEqual([late.peerId.toString()])
  })

  it('may have several addresses, some of which lead nowhere, in any order (N8f)', async () => {
    await using peer = await DHT.create()
    await using mute = await muteServer()
    const [good] = peer.multiaddrs
    const id = `/p2p/${peer.peerId}`
    const odd = [
      `/ip4/127.0.0.1/udp/4001/quic-v1${id}`,
      `/ip4/127.0.0.1/tcp/4002/ws${id}`,
      `${multiaddrOf(mute.address)}${id}`,
      `${await freeAddress()}${id}`
    ]

    for (const initialPeers of [
      [...odd, good],
      [good, ...odd],
      [odd[0], good?.decapsulate('/p2p')]
    ]) {
      await using dht = await DHT.create({
        initialPeers: initialPeers.map(String),
        bootstrapTimeoutMs: 600_000
      })

      expect(dht.stats().knownPeers).toBe(1)
      expect(dht.peers.map(String)).toEqual([peer.peerId.toString()])
    }
  })

  it('may be all addresses that a node has (N8f)', async () => {
    await using peer = await DHT.create({ listenOn: [':0', '127.0.0.1:0', '127.0.0.1:0'] })
    const initialPeers = peer.multiaddrs
    await using dht = await DHT.create({ initialPeers })

    expect(initialPeers.length).toBeGreaterThan(2)
    expect(dht.peers.map(String)).toEqual([peer.peerId.toString()])
  })

  it('are host:port with an id, and localhost in either family (N8f)', async () => {
    await using peer = await DHT.create()
    const port = peer.multiaddrs.map((address) => /tcp\/(\d+)/.exec(address.toString())?.[1])[0]
    const id = `/p2p/${peer.peerId}`

    for (const host of ['127.0.0.1', 'localhost', '']) {
      await using dht = await DHT.create({ initialPeers: `${host}:${port}${id}` })
      expect(dht.stats().knownPeers).toBe(1)
    }
  })

  it('are dialled in the family that they name, whatever the system takes localhost for (N8f)', async () => {
    for (const [name, loopback] of [
      ['dns4', '127.0.0.1'],
      ['dns6', '::1']
    ]) {
      const port = /\d+$/.exec(await freeAddress())?.[0]
      const initialPeers = `/${name}/localhost/tcp/${port}`
      const { message } = await bootstrapErrorOf({ initialPeers, bootstrapTimeoutMs: 500 })
      expect(message).toContain(`${loopback}:${port}`)
    }
  })

  it('have each of their addresses named with its own reason (N8g)', async () => {
    await using peer = await DHT.create()
    const id = `/p2p/${peer.peerId}`
    const addresses = [
      `/ip4/127.0.0.1/udp/4001/quic-v1${id}`,
      `${multiaddrOf(await freeAddress())}${id}`
    ]
    const error = await bootstrapErrorOf({ initialPeers: addresses, bootstrapTimeoutMs: 500 })

    expect(error.attempts).toMatchObject([
      { address: addresses[0], check: expect.stringContaining('no transport') },
      { address: addresses[1], check: expect.stringContaining('No process listens there') }
    ])
  })

  it('take many nodes behind one address that join at the same moment (N8f)', async () => {
    const stop: (() => unknown)[] = []

    try {
      const node = async (): Promise<Libp2p<ServiceMap>> => {
        const made = await libp2pNode(
          { ...basicServices(), dht: waggleKadDHT(), waggle: waggle() },
          // libp2p's own limits: five connections a second from one host.
          { connectionManager: {} }
        )
        stop.push(() => made.stop())
        return made
      }
      const hub = await DHT.create({ libp2p: await node() })
      const nodes = await Promise.all(Array.from({ length: 12 }, node))
      const joined = await Promise.all(
        nodes.map((libp2p) =>
          DHT.create({ libp2p, initialPeers: hub.multiaddrs, bootstrapTimeoutMs: 60_000 })
        )
      )

      expect(joined.every(({ peers }) => peers.length > 0)).toBe(true)
    } finally {
      await Promise.all(stop.map((end) => end()))
    }
  }, 120_000)

  it('of another protocol are named as such at once (N8g)', async () => {
    await using stranger = await DHT.create({ protocol: '/other/kad/1.0.0' })
    const [address] = stranger.multiaddrs
    const error = await bootstrapErrorOf({
      initialPeers: stranger.multiaddrs,
      bootstrapTimeoutMs: 600_000
    })

    expect(error.attempts).toMatchObject([{ address: String(address) }])
    expect(error.message).toContain(`${stranger.peerId} is reachable but does not serve`)
    expect(error.message).toContain('/waggle/kad/1.0.0')
  })

  it('that are clients are named as such at once (N8g)', async () => {
    await using client = await DHT.create({ clientMode: true, listenOn: '127.0.0.1:0' })
    const error = await bootstrapErrorOf({
      initialPeers: client.multiaddrs,
      bootstrapTimeoutMs: 600_000
    })

    expect(error.message).toContain(`${client.peerId} is reachable but does not serve`)
  })

  it('that are tried in vain leave nothing behind (N8f)', async () => {
    const listenOn = await freeAddress()
    await bootstrapErrorOf({
      listenOn,
      initialPeers: [await freeAddress()],
      bootstrapTimeoutMs: 300
    })
    await using dht = await DHT.create({ listenOn })

    expect(dht.multiaddrs).toHaveLength(2)
  })

  it('are tried until the caller has enough, which leaves nothing behind (N8f)', async () => {
    const reason = new Error('not today')
    const caller = new AbortController()
    await using mute = await muteServer()
    const listenOn = await freeAddress()
    const initialPeers = [mute.address]

    const creating = DHT.create({ listenOn, initialPeers, signal: caller.signal })
    creating.catch(() => {})
    await mute.connected
    caller.abort(reason)
    await expect(creating).rejects.toBe(reason)

    const signal = AbortSignal.abort(reason)
    await expect(DHT.create({ listenOn, requireBootstrap: false, signal })).rejects.toBe(reason)

    await using dht = await DHT.create({ listenOn })
    expect(dht.multiaddrs).toHaveLength(2)
  })
})

describe('requireBootstrap: false', () => {
  it('starts alone, and joins when the peer appears (N8f)', async () => {
    const address = await freeAddress()
    await using early = await DHT.create({ initialPeers: [address], requireBootstrap: false })
    expect(early.bootstrapError?.attempts).toMatchObject([{ address: expect.any(String) }])
    expect(early.bootstrapError?.message).toMatch(/^the initial peer could not be reached:/)

    expect(early.peers).toEqual([])
    expect(await early.store('stored alone', 'early', { ttl: 600 })).toBe(true)
    expect(await early.get('stored alone')).toMatchObject({ value: 'early' })

    await using late = await DHT.create({ listenOn: address })
    await late.store('stored later', 'late', { ttl: 600 })
    await expect.poll(() => early.stats().knownPeers, PATIENCE).toBe(1)
    await expect.poll(() => late.stats().knownPeers, PATIENCE).toBe(1)

    expect(await early.get('stored later')).toMatchObject({ value: 'late' })
    expect(await late.get('stored alone')).toMatchObject({ value: 'early' })
  })

  it('joins in the background the initial peers that were late (N8f)', async () => {
    const address = await freeAddress()
    await using first = await DHT.create()
    await using early = await DHT.create({ initialPeers: [address, ...first.multiaddrs] })
    await using late = await DHT.create({ listenOn: address })

    await expect.poll(() => early.peers.map(String), PATIENCE).toContain(late.peerId.toString())
  })

  it('stops at once while it still tries (N8f)', async () => {
    const early = await DHT.create({
      initialPeers: [await freeAddress()],
      requireBootstrap: false
    })
    await early.stop()

    expect(early.libp2p.status).toBe('stopped')
  })
})

describe('a peer that has just joined', () => {
  const timeoutMs = 120_000

  it('finds every key stored before in a network of 20 (N5)', { timeout: 240_000 }, async () => {
    await using net = await testnet(20, UNHURRIED)
    const keys = Array.from({ length: 40 }, (_, i) => `before ${i}`)
    const entries = keys.map((key) => ({ key, value: key }))
    const stored = await net.nodes[1]?.storeMany(entries, { ttl: 600, timeoutMs })
    expect(stored).toEqual(keys.map(() => true))

    await using late = await DHT.create({ initialPeers: net.nodes[7]?.multiaddrs, ...UNHURRIED })
    const found = await late.getMany(keys, { timeoutMs })
    expect(found.map((one) => one?.value)).toEqual(keys)

    await using later = await DHT.create({ initialPeers: net.nodes[8]?.multiaddrs, ...UNHURRIED })
    const latest = await later.getMany(keys, { latest: true, timeoutMs })
    expect(latest.map((one) => one?.value)).toEqual(keys)
  })

  it('is found by all others in time, and then holds its share (N6)', async () => {
    await using net = await testnet(4, UNHURRIED)
    const late = await net.add()
    expect(await net.nodes[0]?.store('key', 1, { ttl: 600 })).toBe(true)

    expect(late.stats().records).toBe(1)
  })
})
