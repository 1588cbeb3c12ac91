import { randomBytes } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { DHT } from '@waggle/dht'
import { create as multihash } from 'multiformats/hashes/digest'
import { describe, expect, it } from 'vitest'
import { DEFAULT_KAD_PROTOCOL } from '../../src/constants.ts'
import { EXCHANGE, EXCHANGE_PROTOCOL, type Message } from '../../src/exchange/messages.ts'
import { WATCH, WATCH_PROTOCOL, type WatchMessage } from '../../src/watch/watch-messages.ts'
import type { EncodedPeer } from '../../src/wire/fields.ts'
import { MAX_DIALLED_ADDRESSES } from '../../src/wire/limits.ts'
import { encodePeer } from '../../src/wire/peer-codec.ts'
import { isGreeting } from '../support/exchange-net.ts'
import { Talker } from '../support/exchange-talker.ts'
import { nothing } from '../support/find-answers.ts'
import { basicServices, type DisposableNode, libp2pNode } from '../support/libp2p-node.ts'
import { infiltrate } from '../support/odd-peers.ts'

const DIALS_PER_SECOND = 16
const SHA_256 = 0x12
const FOR_MS = 1500
const KEYS = Array.from({ length: 20 }, (_, i) => `key ${i}`)

/** Makes peers that do not exist, at addresses without listeners. */
function phantoms(): EncodedPeer[] {
  return Array.from({ length: 20 }, () =>
    encodePeer({
      id: peerIdFromMultihash(multihash(SHA_256, randomBytes(32))),
      multiaddrs: Array.from({ length: MAX_DIALLED_ADDRESSES }, (_, i) =>
        multiaddr(`/ip4/127.0.0.1/tcp/${i + 1}`)
      )
    })
  )
}

interface Liar extends AsyncDisposable {
  readonly node: DisposableNode

  /** Number of peers that it has named. */
  readonly named: number
}

/**
 * Starts a peer that holds nothing, and names invented peers by every protocol that names peers.
 */
async function liar(): Promise<Liar> {
  const node = await libp2pNode(basicServices())
  let named = 0
  const closer = Array.from({ length: 20 }, (_, place) => place)
  const introduce = (): EncodedPeer[] => {
    named += closer.length
    return phantoms()
  }

  const answer = async <M extends { name: string }>(
    talker: Talker<M>,
    reply: (request: M) => M
  ): Promise<void> => {
    for (;;) {
      talker.say(reply(await talker.hearAny()))
    }
  }
  await node.handle(DEFAULT_KAD_PROTOCOL, () => {})
  await node.handle(EXCHANGE_PROTOCOL, (stream: Stream) => {
    answer(new Talker<Message>(stream, EXCHANGE), (request): Message => {
      const { id } = request

      if (isGreeting(request)) {
        return { name: 'found', id, peers: [], answers: [nothing()] }
      }

      const keys = request.name === 'find' ? request.keys : []
      const answers = keys.map(() => nothing(closer))
      return { name: 'found', id, peers: introduce(), answers }
    }).catch(() => {})
  })
  await node.handle(WATCH_PROTOCOL, (stream: Stream) => {
    answer(new Talker<WatchMessage>(stream, WATCH), (request): WatchMessage => {
      const keys = request.name === 'watch' ? request.keys : []
      const answers = keys.map(() => ({ state: 'watched' as const, closer }))
      return { name: 'watched', peers: introduce(), answers }
    }).catch(() => {})
  })

  return {
    node,
    get named() {
      return named
    },
    async [Symbol.asyncDispose]() {
      await node.stop()
    }
  }
}

describe('a peer that names strangers again and again', () => {
  it.each<[string, (dht: DHT, signal: AbortSignal) => Promise<unknown>]>([
    [
      'get',
      (dht, signal) => Promise.allSettled(KEYS.map((key) => dht.get(key, { latest: true, signal })))
    ],
    [
      'watch',
      (dht, signal) =>
        Promise.allSettled(
          KEYS.map(async (key) => {
            for await (const _ of dht.watch(key, { signal })) {
              // It holds nothing.
            }
          })
        )
    ]
  ])('has a node dial no more of them by %s than its rate allows (N9h)', async (_, call) => {
    let dials = 0
    await using victim = await DHT.create({
      limits: { maxDialsPerSecond: DIALS_PER_SECOND },
      libp2pOptions: {
        connectionGater: {
          denyDialMultiaddr: () => {
            dials++
            return false
          }
        }
      }
    })
    await using bad = await liar()
    await infiltrate(bad.node, [victim.libp2p])
    dials = 0
    const startMs = performance.now()
    await call(victim, AbortSignal.timeout(FOR_MS))
    const tookSeconds = (performance.now() - startMs) / 1000

    // A peer may be dialled when a single address is left of what may be dialled.
    const allowed = (2 + tookSeconds) * DIALS_PER_SECOND + MAX_DIALLED_ADDRESSES
    expect(bad.named * MAX_DIALLED_ADDRESSES).toBeGreaterThan(allowed)
    expect(dials).toBeGreaterThan(0)
    expect(dials).toBeLessThan(allowed)
  })
})
