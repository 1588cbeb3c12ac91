import type { AbortOptions, PeerInfo } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { EMPTY_RECORD } from '@waggle/record'
import { toError } from '../errors.ts'
import type { RecordChannel } from '../lookup/record-channel.ts'
import { connectedTo } from '../peers/connect.ts'
import { askFingerprints, COMPARE_PROTOCOL } from './compare-protocol.ts'
import { fingerprintOf } from './fingerprint.ts'

export interface ComparisonInit {
  readonly connectionManager: ConnectionManager

  /** Reaches peers that do not serve the compare protocol: they are asked for the records. */
  readonly channel: RecordChannel
}

/** Asks a peer for the fingerprints of its records under some keys. */
export async function fingerprintsAt(
  peer: PeerInfo,
  keys: readonly Uint8Array[],
  { connectionManager, channel, ...options }: ComparisonInit & AbortOptions
): Promise<Uint8Array[]> {
  await connectedTo(connectionManager, peer, options)
  const stream = await connectionManager
    .openStream(peer.id, COMPARE_PROTOCOL, options)
    .catch(undefinedIfUnsupported)

  if (stream === undefined) {
    return Promise.all(
      keys.map(async (key) => {
        const { record } = await channel.find(peer, key, { closerCount: 0, isCloserAlways: true })
        return fingerprintOf(record ?? EMPTY_RECORD)
      })
    )
  }

  try {
    return await askFingerprints(stream, keys, options)
  } catch (error) {
    stream.abort(toError(error))
    throw error
  }
}

function undefinedIfUnsupported(error: unknown): undefined {
  if (error instanceof Error && error.name === 'UnsupportedProtocolError') {
    return undefined
  }

  throw error
}
