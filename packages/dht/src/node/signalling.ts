import type { PeerId, Stream } from '@libp2p/interface'
import { SharedPlaces } from '../admission/shared-places.ts'
import { inTime } from '../timing/in-time.ts'

/** Connections of pages that are being set up. Each takes a browser some memory and sockets. */
export const MAX_PENDING_PAGES = 8

/** Milliseconds that a page waits for the end of the stream on which a connection was agreed on. */
const END_TIMEOUT_MS = 3000

/** The inbound streams on which pages agree on connections. */
export class Signalling {
  readonly #streams = new Map<string, Set<Stream>>()
  readonly #places = new SharedPlaces<Stream>({
    maxSize: MAX_PENDING_PAGES,
    reason: 'a connection that was not set up makes room for others'
  })

  add(peer: PeerId, stream: Stream): void {
    const name = peer.toString()
    const ofPeer = this.#streams.get(name) ?? new Set()
    this.#streams.set(name, ofPeer.add(stream))
    this.#places.add(stream, name)
    stream.addEventListener('close', () => {
      ofPeer.delete(stream)

      if (ofPeer.size === 0 && this.#streams.get(name) === ofPeer) {
        this.#streams.delete(name)
      }
    })
  }

  /**
   * Resolves when a peer's streams have ended. Until then the dialler still needs the channel with which it began,
   * and never sees it open if this side closes it first.
   */
  async whenEnded(peer: PeerId): Promise<void> {
    const streams = [...(this.#streams.get(peer.toString()) ?? [])]
    const ended = Promise.all(streams.map(whenEnded))
    await inTime(ended, END_TIMEOUT_MS).catch(() => {})
  }
}

function whenEnded(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.status !== 'open' || stream.remoteWriteStatus !== 'writable') {
      resolve()
    }

    stream.addEventListener('remoteCloseWrite', () => resolve())
    stream.addEventListener('close', () => resolve())
  })
}
