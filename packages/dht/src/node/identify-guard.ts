import { equals } from 'uint8arrays/equals'
import type { ProtocolGuard } from '../door/guarded-components.ts'
import { messagesUpTo } from '../door/units.ts'
import { MAX_ADDRESS_BYTES } from '../wire/limits.ts'
import { AS_BYTES, AS_VARINT, type FieldRules, fieldsBy, keepUpTo } from '../wire/protobuf.ts'

/** Addresses and protocols that one peer may send by identify. */
export const MAX_IDENTIFY_ADDRESSES = 32
export const MAX_IDENTIFY_PROTOCOLS = 64

/** Bytes of a protocol's name, or of a version. */
const MAX_NAME_BYTES = 256

/** Bytes of one message: libp2p's own limit. */
const MAX_IDENTIFY_BYTES = 8192

/**
 * Guards identify and identify push, whose data goes to the peer store and may come in several messages. A signed
 * record can't be shortened, so one with too many addresses or with unknown fields is left out.
 */
export function identifyGuard(): ProtocolGuard {
  return () => {
    const rules = identifyRules()
    return {
      cut: messagesUpTo(MAX_IDENTIFY_BYTES),
      receive: (message) => fieldsBy(message, rules)
    }
  }
}

/** The fields of identify's message (libp2p specs, identify). */
function identifyRules(): FieldRules {
  const addresses = keepUpTo(MAX_IDENTIFY_ADDRESSES, MAX_ADDRESS_BYTES)
  const protocols = keepUpTo(MAX_IDENTIFY_PROTOCOLS, MAX_NAME_BYTES)
  const [version, agent] = [keepUpTo(1, MAX_NAME_BYTES), keepUpTo(1, MAX_NAME_BYTES)]
  const [publicKey, observedAddress] = [AS_BYTES, AS_BYTES]
  return {
    ...{ 1: publicKey, 2: addresses, 3: protocols, 4: observedAddress, 5: version, 6: agent },
    8: (envelope) => (isPlain(envelope) ? envelope : undefined)
  }
}

/** Whether a signed peer record has few addresses and only known fields (libp2p RFCs 2 and 3). */
function isPlain(envelope: Uint8Array): boolean {
  const [peer, publicKey, type, signature] = [AS_BYTES, AS_BYTES, AS_BYTES, AS_BYTES]
  const keep = keepUpTo(MAX_IDENTIFY_ADDRESSES, MAX_ADDRESS_BYTES)
  const addressInfo = (bytes: Uint8Array): Uint8Array => fieldsBy(bytes, { 1: keep })
  const record = (bytes: Uint8Array): Uint8Array =>
    fieldsBy(bytes, { 1: peer, 2: AS_VARINT, 3: addressInfo })
  const kept = fieldsBy(envelope, { 1: publicKey, 2: type, 3: record, 5: signature })
  return equals(kept, envelope)
}
