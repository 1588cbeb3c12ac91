import type { PeerId, PeerInfo } from '@libp2p/interface'
import { EMPTY_RECORD } from '@waggle/record'
import type { RecordChannel } from '../lookup/record-channel.ts'
import type { Activity } from '../wire/activity.ts'
import { type ClientParts, ProtocolClient } from '../wire/protocol-client.ts'
import { ProtocolViolationError } from '../wire/protocol-violation-error.ts'
import type { RequestProtocol } from '../wire/request-protocol.ts'
import {
  COMPARE,
  COMPARE_PROTOCOL,
  type CompareMessage,
  MAX_COMPARE_MESSAGE_BYTES
} from './compare-messages.ts'
import { fingerprintOf } from './fingerprint.ts'

export interface CompareClientInit extends ClientParts {
  /** The channel to peers without the protocol, which are queried for the records themselves. */
  readonly records: Pick<RecordChannel, 'find'>
}

/** The compare protocol: a key is a request, its fingerprint the response. */
const REQUESTS: RequestProtocol<Uint8Array, Uint8Array, CompareMessage> = {
  codec: COMPARE,
  sizeOf: (key) => key.length,
  isAlike: () => true,
  messageOf: (pending) => ({ name: 'compare', keys: pending.map(({ request }) => request) }),
  responsesOf(message, { requests }) {
    if (message.name !== 'compared' || message.fingerprints.length !== requests.length) {
      throw new ProtocolViolationError(
        `the peer sent a message "${message.name}" that does not reply to ${requests.length} keys`
      )
    }

    return message.fingerprints
  },
  isIdle: () => true
}

/** Requests the fingerprints of peers' records. */
export class CompareClient {
  readonly #init: CompareClientInit
  readonly #client: ProtocolClient<Uint8Array, Uint8Array, CompareMessage>

  constructor(init: CompareClientInit) {
    this.#init = init
    this.#client = new ProtocolClient({
      ...init,
      id: COMPARE_PROTOCOL,
      streamLimits: { maxMessageBytes: MAX_COMPARE_MESSAGE_BYTES },
      speak: () => REQUESTS
    })
  }

  /** Returns the fingerprints of a peer's records under some keys. */
  fingerprints(peer: PeerInfo, keys: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return Promise.all(
      keys.map((key) =>
        this.#client.request(peer, key, {
          onResponse: (fingerprint) => fingerprint,
          fallback: () => this.#fingerprintOf(peer, key)
        })
      )
    )
  }

  /** The time of a peer's last progress, in ms of the process's clock. */
  progressMs(peer: PeerInfo): number {
    return this.#client.progressMs(peer)
  }

  /** Returns the activity with a peer. */
  activityOf(peer: PeerId): Activity {
    return this.#client.activityOf(peer)
  }

  /** Ends all streams. */
  close(): void {
    this.#client.close()
  }

  async #fingerprintOf(peer: PeerInfo, key: Uint8Array): Promise<Uint8Array> {
    const options = { closerCount: 0, isCloserAlways: true }
    const { record } = await this.#init.records.find(peer, key, options)
    return fingerprintOf(record ?? EMPTY_RECORD)
  }
}
