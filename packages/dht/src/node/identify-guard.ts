import type { ProtocolGuard } from '../door/guarded-components.ts'
import { messagesUpTo } from '../door/units.ts'
import { MAX_ADDRESS_BYTES } from '../wire/limits.ts'
import { changedFields, keepUpTo, protobufFields } from '../wire/protobuf.ts'

/** Addresses and protocols that one peer may give of itself by identify. */
export const MAX_IDENTIFY_ADDRESSES = 32
export const MAX_IDENTIFY_PROTOCOLS = 64

/** Bytes of a protocol's name, or of a version. */
const MAX_NAME_BYTES = 256

/** Bytes of one message: libp2p's own limit. */
const MAX_IDENTIFY_BYTES = 8192

/** The fields of identify's message, and of the signed record in it (libp2p specs, identify; RFC 3). */
const IDENTIFY = {
  address: 2,
  protocol: 3,
  protocolVersion: 5,
  agentVersion: 6,
  signed: 8
} as const
const ENVELOPE = { payload: 3 } as const
const PEER_RECORD = { address: 3 } as const

/**
 * Guards what peers say of themselves, when they are asked (identify) and when they like (identify
 * push). It goes to the peer store, and may come in several messages. A signed record can't be made
 * smaller: one with too many addresses is left out.
 */
export function identifyGuard(): ProtocolGuard {
  return () => {
    const changes = {
      [IDENTIFY.address]: keepUpTo(MAX_IDENTIFY_ADDRESSES, MAX_ADDRESS_BYTES),
      [IDENTIFY.protocol]: keepUpTo(MAX_IDENTIFY_PROTOCOLS, MAX_NAME_BYTES),
      [IDENTIFY.protocolVersion]: keepUpTo(1, MAX_NAME_BYTES),
      [IDENTIFY.agentVersion]: keepUpTo(1, MAX_NAME_BYTES),
      [IDENTIFY.signed]: (envelope: Uint8Array) =>
        addressesSigned(envelope) <= MAX_IDENTIFY_ADDRESSES ? envelope : undefined
    }
    return {
      cut: messagesUpTo(MAX_IDENTIFY_BYTES),
      receive: (message) => changedFields(message, changes)
    }
  }
}

function addressesSigned(envelope: Uint8Array): number {
  let addresses = 0

  for (const { number, bytes } of protobufFields(envelope)) {
    if (number === ENVELOPE.payload && bytes !== undefined) {
      addresses = [...protobufFields(bytes)].filter((f) => f.number === PEER_RECORD.address).length
    }
  }

  return addresses
}
