import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import {
  BootstrapError,
  DEFAULTS,
  DHT,
  type DHTOptions,
  ListenError,
  waggle,
  waggleKadDHT
} from '@waggle/dht'
import { describe, expect, it } from 'vitest'
import { basicServices, libp2pNode } from '../support/libp2p-node.ts'
import { freeAddress, muteServer } from '../support/loopback.ts'
import { rejection } from '../support/rejection.ts'

function create(options: unknown): Promise<Error> {
  return rejection(DHT.create(options as DHTOptions))
}

describe('DHT.create', () => {
  it.each([
    ['listenOn', 'bees'],
    ['listenOn', '127.0.0.1:99999'],
    ['listenOn', 'bees.example.org:1337'],
    ['listenOn', '/ip4/127.0.0.1/tcp'],
    ['initialPeers', ['127.0.0.1:1337', 'bees']],
    ['initialPeers', '/ip4/127.0.0.1/tcp/1337/p2p/bee'],
    ['initialPeers', multiaddr('/ip4/127.0.0.1/tcp/1337/p2p/bee')],
    ['announce', 'http://127.0.0.1:1337']
  ])(
    'refuses the %s %o with a TypeError that names it and says what would do',
    async (option, address) => {
      const error = await create({ [option]: address })

      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toMatch(
        new RegExp(`^${option}: .*use host:port such as 127.0.0.1:1337`)
      )
    }
  )

  it.each([
    ['listenon', ':1337', 'DHT.create has no option listenon: did you mean listenOn?'],
    ['numReplicas', 0, 'numReplicas must be an integer from 1 to 20, got 0'],
    ['requestTimeoutMs', '3s', 'requestTimeoutMs must be a positive number, got "3s"'],
    ['limits', { maxTTL: 5 }, 'limits has no option maxTTL: did you mean maxTtl?'],
    ['libp2p', {}, 'libp2p must be a libp2p node'],
    ['libp2p', Promise.resolve(), 'libp2p must be a libp2p node, got a Promise: await it']
  ])('refuses the option %s: %j with a TypeError', async (option, value, message) => {
    const error = await create({ [option]: value })

    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(message)
  })

  it('says which port is in use', async () => {
    await using taken = await muteServer()
    const error = await create({ listenOn: ['127.0.0.1:0', taken.address] })
    const port = taken.address.split(':')[1]

    expect(error).toBeInstanceOf(ListenError)
    expect(error.name).toBe('ListenError')
    expect(error.message).toContain(`/ip4/127.0.0.1/tcp/${port}`)
    expect(error.message).toContain('EADDRINUSE')
    expect(error.message).toContain('Choose another address, or port 0 for any free port.')
  })

  it.each([
    ["another machine's", '192.0.2.1:1337', 'EADDRNOTAVAIL'],
    ['of a transport that it does not have', '/ip4/127.0.0.1/udp/0/quic-v1', 'quic-v1']
  ])('says that it can not listen on an address that is %s', async (_, listenOn, reason) => {
    const error = await create({ listenOn })

    expect(error).toBeInstanceOf(ListenError)
    expect(error.message).toContain(reason)
  })

  it('names each initial peer that can not be reached, and why (N8g)', async () => {
    const initialPeers = [await freeAddress(), '/ip4/127.0.0.1/udp/1/quic-v1']
    const error = await create({ initialPeers })

    expect(error).toBeInstanceOf(BootstrapError)
    const { attempts } = error as BootstrapError
    expect(attempts.map(({ address }) => address)).toEqual([
      `/ip4/127.0.0.1/tcp/${initialPeers[0]?.split(':')[1]}`,
      initialPeers[1]
    ])

    for (const { address, error: reason } of attempts) {
      expect(reason).toBeInstanceOf(Error)
      expect(reason.message).not.toBe('')
      expect(error.message).toContain(`${address}: ${reason.message}`)
    }

    expect(error.message).toContain('requireBootstrap: false')
  })

  it('says that an initial peer serves another protocol (N8g)', async () => {
    await using stranger = await DHT.create({ protocol: '/other/kad/1.0.0' })
    const error = await create({ initialPeers: stranger.multiaddrs })

    expect(error).toBeInstanceOf(BootstrapError)
    expect(error.message).toContain(`does not serve ${DEFAULTS.protocol}`)
  })

  it('says that an initial peer is not who it is meant to be (N8g)', async () => {
    await using peer = await DHT.create()
    const expected = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const address = peer.multiaddrs[0]?.decapsulate('/p2p').encapsulate(`/p2p/${expected}`)
    const error = await create({ initialPeers: address })

    expect(error).toBeInstanceOf(BootstrapError)
    expect(error.message).toContain(peer.peerId.toString())
  })

  it('names a file that holds no identity', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'waggle-'))
    const identityPath = join(directory, 'identity.key')
    await writeFile(identityPath, 'bees')

    expect((await create({ identityPath })).message).toContain(
      `identityPath: ${identityPath} does not hold a libp2p private key`
    )
    await rm(directory, { recursive: true })
  })

  it('rejects with the reason of a signal that is aborted before or while it starts', async () => {
    const reason = new Error('the caller has had enough')
    const caller = new AbortController()
    const creating = create({ signal: caller.signal })
    caller.abort(reason)

    expect(await creating).toBe(reason)
    expect(await create({ signal: AbortSignal.abort(reason) })).toBe(reason)
  })

  it('does not even start when the signal is aborted before', async () => {
    await using taken = await muteServer()
    const reason = new Error('the caller has had enough')
    const signal = AbortSignal.abort(reason)

    expect(await create({ listenOn: taken.address, signal })).toBe(reason)
  })
})

describe('DHT.create with a node of the caller', () => {
  it('says what services a node lacks', async () => {
    await using libp2p = await libp2pNode(basicServices())
    const error = await create({ libp2p })

    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(
      'the node has no Waggle service: add dht: waggleKadDHT() and waggle: waggle() to its services'
    )
    expect(libp2p.status).toBe('started')
  })

  it('says that a node is stopped', async () => {
    const libp2p = await libp2pNode({ ...basicServices(), dht: waggleKadDHT(), waggle: waggle() })
    await libp2p.stop()
    const error = await create({ libp2p })

    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('libp2p: the node is stopped: start it first')
  })

  it('refuses options that the node should have been made with', async () => {
    await using libp2p = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT(),
      waggle: waggle()
    })
    const error = await create({ libp2p, clientMode: true })

    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain("clientMode can't be combined with libp2p")
  })

  it('leaves the node running when no initial peer is there', async () => {
    await using libp2p = await libp2pNode({
      ...basicServices(),
      dht: waggleKadDHT(),
      waggle: waggle()
    })

    expect(await create({ libp2p, initialPeers: await freeAddress() })).toBeInstanceOf(
      BootstrapError
    )
    expect(libp2p.status).toBe('started')
  })
})

describe('waggle', () => {
  it.each([
    ['a plain kad-dht', async () => (await import('@libp2p/kad-dht')).kadDHT(), 'waggleKadDHT()'],
    ['no kad-dht', async () => undefined, '@libp2p/kad-dht']
  ])('needs waggleKadDHT beside it, and says so when there is %s', async (_, dht, message) => {
    const services = { ...basicServices(), dht: await dht(), waggle: waggle() }

    for (const [name, service] of Object.entries(services)) {
      if (service === undefined) {
        delete services[name as 'dht']
      }
    }

    const error = await rejection(libp2pNode(services as never))
    expect(error.message).toContain(message)
  })

  it.each([
    ['waggle', { dht: waggleKadDHT(), waggle }],
    ['waggleKadDHT', { dht: waggleKadDHT, waggle: waggle() }]
  ])('%s has to be called, and says so', async (name, services) => {
    const error = await rejection(libp2pNode({ ...basicServices(), ...services } as never))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain(`need ${name}(), not ${name}: call it`)
  })
})
