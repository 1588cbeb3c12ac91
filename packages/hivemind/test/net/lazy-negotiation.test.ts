import type { Stream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Hivemind, HivemindDHT } from '../../src/index.ts'
import { LAZY, OfferReply, takeOffer } from '../../src/rpc/lazy-negotiation.ts'
import { PING } from '../../src/rpc/procedures.ts'

let stack: AsyncDisposableStack
let server: HivemindDHT
let client: HivemindDHT

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  server = stack.use(await HivemindDHT.create())
  client = stack.use(
    await HivemindDHT.create({ initialPeers: server.multiaddrs, clientMode: true, cache: false })
  )
})

afterEach(async () => {
  await stack.disposeAsync()
})

function open(protocol: string, options: object = {}): Promise<Stream> {
  return client.libp2p.getConnections(server.peerId)[0]?.newStream(protocol, options) as never
}

describe('a stream with lazy negotiation', () => {
  it('has its protocol before the peer has said anything, and the offer is still to be sent', async () => {
    const stream = await open(PING, { [LAZY]: true })

    expect(stream.protocol).toBe(PING)
    expect(new TextDecoder().decode(takeOffer(stream))).toBe(
      '\x13/multistream/1.0.0\n\x15DHTProtocol.rpc_ping\n'
    )
    expect(takeOffer(stream)).toHaveLength(0)
    stream.abort(new Error('not needed'))
  })

  it('is for streams on request: libp2p negotiates all others', async () => {
    const stream = await open(PING)

    expect(stream.protocol).toBe(PING)
    expect(takeOffer(stream)).toHaveLength(0)
    await expect(open('no protocol')).rejects.toThrow(/could not negotiate/)
    stream.abort(new Error('not needed'))
  })

  it('lets a call fail at once if the peer does not serve the procedure', async () => {
    await server.libp2p.unhandle(PING)
    const service = Reflect.get(client.libp2p.services, 'hivemind') as Hivemind

    await expect(service.ping(server.peerId)).rejects.toThrow('does not speak the protocol')
  })
})

describe('the reply to an offer', () => {
  const offer = new TextEncoder().encode('offer')

  it('is stripped from what the peer sends, however it is cut', () => {
    const all = new TextEncoder().encode('offerdata')

    for (let cut = 0; cut <= all.length; cut++) {
      const reply = new OfferReply(offer)
      const left = [all.subarray(0, cut), all.subarray(cut)].map((part) => reply.strip(part))
      expect(left.map((part) => new TextDecoder().decode(part)).join('')).toBe('data')
    }
  })

  it('must repeat the offer', () => {
    const reply = new OfferReply(offer)
    reply.strip(new TextEncoder().encode('off'))

    expect(() => reply.strip(new TextEncoder().encode('na'))).toThrow('does not speak')
  })
})
