import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { BootstrapError, DEFAULTS, DHT, type DHTOptions } from '@waggle/dht'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { basicServices, libp2pNode } from '../support/libp2p-node.ts'
import { freeAddress, type MuteServer, muteServer } from '../support/loopback.ts'
import { rejection } from '../support/rejection.ts'

/** Returns the attempt to reach the only initial peer, with its reason and hint. */
async function attemptOf(options: DHTOptions): Promise<{ reason: string; check: string }> {
  const error = await rejection(DHT.create({ bootstrapTimeoutMs: 2000, ...options }))
  expect(error).toBeInstanceOf(BootstrapError)
  const [attempt, ...others] = (error as BootstrapError).attempts
  expect(others).toEqual([])
  expect(error.message).toContain(`${attempt?.address}: ${attempt?.error.message}`)
  expect(error.message).toContain(attempt?.check)
  return { reason: attempt?.error.message ?? '', check: attempt?.check ?? '' }
}

describe('a BootstrapError says what to check', () => {
  let peer: DHT
  let mute: MuteServer

  beforeAll(async () => {
    peer = await DHT.create()
    mute = await muteServer()
  })

  afterAll(async () => {
    await peer?.stop()
    await mute?.[Symbol.asyncDispose]()
  })

  it('when the connection is refused (N8g)', async () => {
    const { reason, check } = await attemptOf({ initialPeers: await freeAddress() })

    expect(reason).toContain('ECONNREFUSED')
    expect(check).toMatch(/No process listens there.*the port.*more than 127.0.0.1/)
  })

  it('when nobody answers (N8g)', async () => {
    const { reason, check } = await attemptOf({ initialPeers: mute.address })

    expect(reason).toContain('no answer within 2000 ms')
    expect(check).toMatch(/firewalls.*bootstrapTimeoutMs/)
  })

  it('when the connection is never set up, however long it waits (N8g)', async () => {
    const bootstrapTimeoutMs = 6500
    const { reason, check } = await attemptOf({ initialPeers: mute.address, bootstrapTimeoutMs })

    // libp2p itself gives up after six seconds.
    expect(reason).toContain('no answer within 6500 ms')
    expect(check).toMatch(/firewalls.*bootstrapTimeoutMs/)
  })

  it.each([
    ['exchange', []],
    ['watch', ['/waggle/exchange/2.0.0']]
  ])('when a peer speaks another revision of the protocol %s (N3, N8g)', async (name, others) => {
    await using old = await libp2pNode(basicServices())
    await old.handle([DEFAULTS.protocol, ...others, `/waggle/${name}/1.0.0`], () => {})
    const { reason, check } = await attemptOf({ initialPeers: old.getMultiaddrs() })

    expect(reason).toBe(
      `the peer ${old.peerId} speaks /waggle/${name}/1.0.0, and this node /waggle/${name}/2.0.0`
    )
    expect(check).toContain('Update the older of the two')
  })

  it('when the port is 0 (N8g)', async () => {
    const { check } = await attemptOf({ initialPeers: '127.0.0.1:0' })

    expect(check).toMatch(/Port 0 is only valid for listening.*multiaddrs/)
  })

  it('when the host name is unknown (N8g)', async () => {
    const { check } = await attemptOf({ initialPeers: 'no-such-host.invalid:1337' })

    expect(check).toMatch(/spelling of the host name/)
  })

  it('when the host can not be reached (N8g)', async () => {
    // The documentation's own network, to which no route leads, unless this machine has IPv6.
    const { reason, check } = await attemptOf({ initialPeers: '[2001:db8::1]:1337' })

    expect(reason).toMatch(/EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|no answer/)
    expect(check).toMatch(/has IPv6|firewalls/)
  })

  it('when something else listens there (N8g)', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { check } = await attemptOf({ initialPeers: `127.0.0.1:${port}` })
    server.close()

    expect(check).toMatch(/not a peer of this network.*the port/)
  })

  it('when another peer is there (N8g)', async () => {
    const expected = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const [address] = peer.multiaddrs
    const initialPeers = `${address?.decapsulate('/p2p')}/p2p/${expected}`
    const { reason, check } = await attemptOf({ initialPeers })

    expect(reason).toContain(peer.peerId.toString())
    expect(check).toMatch(/Another peer runs at.*identityPath/)
  })

  it('when the peer is of another network, or a client (N8g)', async () => {
    const { reason, check } = await attemptOf({
      protocol: '/other/kad/1.0.0',
      initialPeers: peer.multiaddrs
    })

    expect(reason).toContain('does not serve /other/kad/1.0.0')
    expect(check).toMatch(/its protocol.*not a client/)
  })

  it('when the peer is the node itself (N8g)', async () => {
    const listenOn = await freeAddress()
    const { check } = await attemptOf({ listenOn, initialPeers: listenOn })

    expect(check).toMatch(/the node itself.*identityPath/)
  })

  it('when there is no transport for the address (N8g)', async () => {
    const { check } = await attemptOf({ initialPeers: '/ip4/127.0.0.1/udp/1/quic-v1' })

    expect(check).toMatch(/no transport for this kind of address/)
  })

  it('when the address is no more than an id (N8g)', async () => {
    const { check } = await attemptOf({ initialPeers: `/p2p/${peer.peerId}` })

    expect(check).toMatch(/no host and port/)
  })
})
