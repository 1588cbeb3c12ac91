import type { PeerId, Stream } from '@libp2p/interface'
import { SharedPlaces } from '../admission/shared-places.ts'
import { inTime } from '../timing/in-time.ts'

/** Connections of pages that are being set up. Each takes a browser some memory and sockets. */
export const MAX_PENDING_PAGES = 8

/** Milliseconds that a page waits for the end of the stream on which a connection was agreed on. */
const END_TIMEOUT_MS = 3000

/** The inbound streams on which pages agree on connections. */
export class Signalling {
  readonly #places = new SharedPlaces<Stream>({
    maxSize: MAX_PENDING_PAGES,
    reason: 'a connection that was not set up makes room for others'
  })

  add(peer: PeerId, stream: Stream): void {
    this.#places.add(stream, peer.toString())
  }

  /**
   * Resolves when a peer's streams have ended. Until then the dialler still needs the channel with which it began,
   * and never sees it open if this side closes it first.
   */
  async whenEnded(peer: PeerId): Promise<void> {
    const ended = Promise.all(this.#places.ofOwner(peer.toString()).map(whenEnded))
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
