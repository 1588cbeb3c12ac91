import { type PeerRouting, peerRoutingSymbol } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { wait } from '../timing/wait.ts'

/** Milliseconds between two lookups that find no peer. */
const EMPTY_LOOKUP_INTERVAL_MS = 1000

/**
 * Paces lookups that find no peer. libp2p's random walk, which looks for relays and for AutoNAT's servers, repeats
 * one as soon as it has ended. While the routing table is empty, it ends in the same turn of the event loop, so no
 * other work would ever run.
 */
export function paceWalks(kad: KadDHT): void {
  const routing = Reflect.get(kad, peerRoutingSymbol) as PeerRouting | undefined

  if (routing === undefined) {
    return
  }

  let nextEmptyMs = 0
  const paced: PeerRouting = {
    findPeer: (peer, options) => routing.findPeer(peer, options),
    async *getClosestPeers(key, options) {
      let isEmpty = true

      try {
        for await (const peer of routing.getClosestPeers(key, options)) {
          isEmpty = false
          yield peer
        }
      } finally {
        if (isEmpty) {
          const ms = Math.max(0, nextEmptyMs - performance.now())
          nextEmptyMs = performance.now() + ms + EMPTY_LOOKUP_INTERVAL_MS
          await wait(ms, options?.signal)
        }
      }
    }
  }
  Object.defineProperty(kad, peerRoutingSymbol, { value: paced, configurable: true })
}
