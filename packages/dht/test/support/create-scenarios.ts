import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { DHT, type DHTOptions } from '@waggle/dht'
import { createLibp2p } from 'libp2p'
import { muteServer } from './loopback.ts'
import { skewedDHT } from './skewed-node.ts'

/*
 * Scenarios of a DHT, each a program of its own. Nothing that one starts may keep its process alive after its end.
 */

/** Attempts to create a DHT that fail, by what is wrong. */
export const FAILURES: Readonly<Record<string, () => Promise<void>>> = {
  'an option is wrong': () => fails({ listenOn: 'bees' }, 'TypeError'),

  'the port is in use': async () => {
    await using taken = await muteServer()
    await fails({ listenOn: taken.address }, 'ListenError')
  },

  'one of two ports is in use': async () => {
    await using taken = await muteServer()
    await fails({ listenOn: ['127.0.0.1:0', taken.address] }, 'ListenError')
  },

  'no initial peer is there': () =>
    fails({ initialPeers: ['127.0.0.1:1'], bootstrapTimeoutMs: 300 }, 'BootstrapError'),

  'the initial peer never answers': async () => {
    await using mute = await muteServer()
    await fails({ initialPeers: [mute.address], bootstrapTimeoutMs: 300 }, 'BootstrapError')
  },

  'the initial peer is of another network': async () => {
    await using stranger = await DHT.create({ protocol: '/other/kad/1.0.0' })
    await fails({ initialPeers: stranger.multiaddrs }, 'BootstrapError')
  },

  'the initial peer is somebody else': async () => {
    await using peer = await DHT.create()
    const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const [address] = peer.multiaddrs
    const initialPeers = `${address?.decapsulate('/p2p')}/p2p/${other}`
    await fails({ initialPeers }, 'BootstrapError')
  },

  'the initial peer has another clock': async () => {
    await using ahead = await skewedDHT(10)
    await fails({ initialPeers: ahead.multiaddrs, strictClock: true }, 'ClockSkewError')
  },

  'the initial peer has another swarm key': async () => {
    const swarmKey = `/key/swarm/psk/1.0.0/\n/base16/\n${'a1'.repeat(32)}`
    await using member = await DHT.create({ swarmKey })
    await fails({ initialPeers: member.multiaddrs }, 'BootstrapError')
  },

  'the caller has enough while it starts': async () => {
    const caller = new AbortController()
    const failing = fails({ signal: caller.signal }, 'AbortError')
    caller.abort()
    await failing
  },

  'the caller has enough while it joins': async () => {
    await using mute = await muteServer()
    const caller = new AbortController()
    const failing = fails({ initialPeers: mute.address, signal: caller.signal }, 'AbortError')
    await mute.connected
    caller.abort()
    await failing
  },

  'the identity is garbage': async () => {
    const directory = await mkdtemp(join(tmpdir(), 'waggle-'))
    const identityPath = join(directory, 'identity.key')
    await writeFile(identityPath, 'bees')
    await fails({ identityPath }, 'Error')
    await rm(directory, { recursive: true })
  },

  'the libp2p node has no Waggle service': async () => {
    const libp2p = await createLibp2p()
    await fails({ libp2p }, 'TypeError')
    await libp2p.stop()
  }
}

/** Calls that succeed, and then stop the DHT. */
export const LIVES: Readonly<Record<string, () => Promise<void>>> = {
  'two peers store and get and stop': async () => {
    const first = await DHT.create()
    const second = await DHT.create({ initialPeers: first.multiaddrs })
    await first.store('key', 1, { ttl: 600 })
    assert.equal((await second.get('key', { latest: true }))?.value, 1)
    await Promise.all([first.stop(), second.stop()])
  },

  'hundreds of calls share one signal': async () => {
    await using first = await DHT.create()
    await using second = await DHT.create({ initialPeers: first.multiaddrs })
    const { signal } = new AbortController()
    const keys = Array.from({ length: 300 }, (_, i) => i)
    await Promise.all(keys.map((key) => first.store(key, key, { ttl: 600, signal })))
    const found = await Promise.all(keys.map((key) => second.get(key, { latest: true, signal })))
    assert.deepEqual(
      found.map((one) => one?.value),
      keys
    )
  },

  'it stops while calls are pending': async () => {
    const first = await DHT.create()
    const second = await DHT.create({ initialPeers: first.multiaddrs })
    const keys = Array.from({ length: 50 }, (_, i) => i)
    const pending = keys.map((key) => second.store(key, key, { ttl: 600 }))
    const outcomes = Promise.allSettled(pending)
    await Promise.all([second.stop(), first.stop()])
    await outcomes
  },

  'it stops right after a reading that repairs others': async () => {
    const first = await DHT.create()
    await first.store('key', 1, { ttl: 600 })
    const second = await DHT.create({ initialPeers: first.multiaddrs })
    await second.get('key', { latest: true })
    await second.stop()
    await first.stop()
  },

  'it starts alone and stops while it tries to join': async () => {
    const dht = await DHT.create({ initialPeers: '127.0.0.1:1', requireBootstrap: false })
    await dht.stop()
  },

  'it stops while it tries to find its peers again': async () => {
    const first = await DHT.create()
    const second = await DHT.create({ initialPeers: first.multiaddrs })
    const left = Promise.withResolvers<unknown>()
    second.addEventListener('peer:lost', left.resolve)
    await first.stop()
    await left.promise
    await second.stop()
  },

  'it is reached through a relay, or would be': async () => {
    const relay = await DHT.create({ serveRelay: true })
    const hidden = await DHT.create({ relay: true, initialPeers: relay.multiaddrs })
    await relay.stop()
    await hidden.stop()
  },

  'it is disposed of when an error is thrown': async () => {
    const failing = async (): Promise<void> => {
      await using dht = await DHT.create()
      throw new Error(`thrown by ${dht.peerId}`)
    }

    await assert.rejects(failing(), /thrown by/)
  }
}

async function fails(options: DHTOptions, name: string): Promise<void> {
  await assert.rejects(DHT.create(options), (error) => {
    assert.equal((error as Error).name, name)
    return true
  })
}
