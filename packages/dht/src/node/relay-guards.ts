import type { Connection } from '@libp2p/interface'
import type { AddressManager, ConnectionManager } from '@libp2p/interface-internal'
import { multiaddr } from '@multiformats/multiaddr'
import type { Door } from '../door/door.ts'
import { guardedConnection, type ProtocolGuard } from '../door/guarded-components.ts'
import { overriding } from '../door/overriding.ts'
import { delimited, messagesUpTo, piecesUpTo } from '../door/units.ts'
import { hostOf } from '../peers/host-of.ts'
import { ByteWriter } from '../wire/bytes.ts'
import { MAX_ADDRESS_BYTES, MAX_ADDRESSES_PER_PEER } from '../wire/limits.ts'
import {
  AS_BYTES,
  AS_VARINT,
  type FieldChange,
  type FieldRules,
  fieldsBy,
  keepUpTo,
  protobufFields,
  varintIn,
  writeVarintField
} from '../wire/protobuf.ts'
import type { RelayBudget } from './relay-budget.ts'

/** The protocols of relays (libp2p specs, circuit relay v2). */
export const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop'
export const STOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/stop'

/** Addresses of one relay that a node announces. */
export const MAX_RELAY_ADDRESSES = 8

/** Bytes of one relay message. */
const MAX_MESSAGE_BYTES = 8192

/** Bytes of a relayed connection that are passed on at once. */
const MAX_PIECE_BYTES: number = 64 * 1024

/** The fields of relay messages and of their parts (libp2p specs, circuit relay v2, "Protobuf"). */
const HOP = { type: 1, peer: 2, reservation: 3, limit: 4, status: 5 } as const
const STOP = { type: 1, peer: 2, limit: 3, status: 4 } as const
const PEER = { id: 1, address: 2 } as const
const RESERVATION = { expire: 1, address: 2 } as const
const LIMIT = { duration: 1, data: 2 } as const
const HOP_CONNECT = 1
const LAST_HOP_TYPE = 2

const MS_PER_SECOND = 1000

const LIMIT_RULES: FieldRules = { [LIMIT.duration]: AS_VARINT, [LIMIT.data]: AS_VARINT }

/** A relay's response. */
const HOP_RESPONSE: FieldRules = {
  ...{ [HOP.type]: AS_VARINT, [HOP.status]: AS_VARINT },
  ...{ [HOP.peer]: AS_BYTES, [HOP.reservation]: AS_BYTES },
  [HOP.limit]: limitInSeconds
}

/** A relay's request to a node with a reservation. */
const STOP_REQUEST: FieldRules = {
  ...{ [STOP.type]: AS_VARINT, [STOP.status]: AS_VARINT, [STOP.peer]: AS_BYTES },
  [STOP.limit]: limitInSeconds
}

/** One message in each direction, followed by the data of the two ends. */
const CIRCUIT = {
  cut: messagesUpTo(MAX_MESSAGE_BYTES),
  units: 1,
  cutRest: piecesUpTo(MAX_PIECE_BYTES)
}

/** Guards requests to a relay: to reserve a slot, or to connect to a peer that has one. */
export function hopGuard(budget: RelayBudget): ProtocolGuard {
  return ({ remotePeer }, stream) => {
    const peer = remotePeer.toString()
    let isCircuit = false
    return {
      ...CIRCUIT,
      receive(message) {
        isCircuit = hopTypeOf(message) === HOP_CONNECT
        const close = isCircuit ? budget.open(peer) : undefined

        if (isCircuit && close === undefined) {
          throw new Error('too many relayed connections of this peer or in total')
        }

        stream.addEventListener('close', () => close?.())
        return fieldsBy(message, { [HOP.type]: AS_VARINT, [HOP.peer]: withFewAddresses })
      },
      send: (message) => sent(message, HOP_RESPONSE),
      pause: (bytes) => (isCircuit ? budget.pass(peer, bytes) : 0)
    }
  }
}

/** Wraps the connections of a relay, on which it announces incoming circuits to peers with a reservation. */
export function relayConnections(
  connectionManager: ConnectionManager,
  door: Door
): ConnectionManager {
  const guard: ProtocolGuard = () => ({
    ...CIRCUIT,
    send: (message) => sent(message, STOP_REQUEST)
  })
  return withGuardedConnections(connectionManager, door, guard)
}

/** Guards a relay's requests to a node: they are refused unless the node has a reservation there. */
export function stopGuard({ addressManager }: { addressManager: AddressManager }): ProtocolGuard {
  return ({ remotePeer }) => ({
    ...CIRCUIT,
    receive(message) {
      const relayed = `/p2p/${remotePeer}/p2p-circuit`

      if (!addressManager.getAddresses().some((address) => address.toString().includes(relayed))) {
        throw new Error('this node has no reservation at the peer')
      }

      return fieldsBy(message, {
        ...{ [STOP.type]: AS_VARINT, [STOP.peer]: withFewAddresses },
        [STOP.limit]: (limit) => fieldsBy(limit, LIMIT_RULES)
      })
    }
  })
}

/** Wraps the connections of a node that uses relays, on which relays send its relayed addresses. */
export function relayedConnections(
  connectionManager: ConnectionManager,
  door: Door
): ConnectionManager {
  const guard: ProtocolGuard = ({ remoteAddr }) => ({
    ...CIRCUIT,
    receive: (message) =>
      fieldsBy(message, {
        ...{ [HOP.type]: AS_VARINT, [HOP.status]: AS_VARINT },
        [HOP.reservation]: (reservation) =>
          fieldsBy(reservation, {
            [RESERVATION.expire]: AS_VARINT,
            [RESERVATION.address]: keepOnHost(hostOf(remoteAddr))
          }),
        [HOP.limit]: (limit) => fieldsBy(limit, LIMIT_RULES)
      })
  })
  return withGuardedConnections(connectionManager, door, guard)
}

function withGuardedConnections(
  connectionManager: ConnectionManager,
  door: Door,
  guard: ProtocolGuard
): ConnectionManager {
  const guarded = (connection: Connection): Connection => guardedConnection(connection, door, guard)
  return overriding<ConnectionManager>(connectionManager, {
    getConnections: (peer) => connectionManager.getConnections(peer).map(guarded),
    openConnection: async (...args) => guarded(await connectionManager.openConnection(...args))
  })
}

function withFewAddresses(peer: Uint8Array): Uint8Array {
  return fieldsBy(peer, {
    [PEER.id]: AS_BYTES,
    [PEER.address]: keepUpTo(MAX_ADDRESSES_PER_PEER, MAX_ADDRESS_BYTES)
  })
}

/** Keeps only addresses at the host of the connection, because others may belong to any peer. */
function keepOnHost(host: string): FieldChange {
  // libp2p itself adds the address that it is connected to.
  const keep = keepUpTo(MAX_RELAY_ADDRESSES - 1, MAX_ADDRESS_BYTES)
  return (bytes) => (isAt(bytes, host) ? keep(bytes) : undefined)
}

function isAt(bytes: Uint8Array, host: string): boolean {
  try {
    return bytes.length <= MAX_ADDRESS_BYTES && hostOf(multiaddr(bytes.slice())) === host
  } catch {
    return false
  }
}

/** The type of a request to a relay. The next reader would truncate a larger number to fewer bits. */
function hopTypeOf(message: Uint8Array): number | undefined {
  const type = varintIn(message, HOP.type)

  if (type !== undefined && type > LAST_HOP_TYPE) {
    throw new Error(`this node supports no relay messages of type ${type}`)
  }

  return type
}

/** A message from libp2p, with some of its fields changed. */
function sent(framed: Uint8Array, rules: FieldRules): Uint8Array {
  const unit = CIRCUIT.cut({ length: framed.length, at: (i) => framed[i] })

  if (unit === undefined) {
    return framed
  }

  const message = framed.subarray(unit.headBytes, unit.headBytes + unit.bytes)
  return delimited(fieldsBy(message, rules))
}

/**
 * Converts a limit to seconds, as specified. libp2p's relay sends milliseconds, which other implementations read as
 * a thousand times as long.
 */
function limitInSeconds(limit: Uint8Array): Uint8Array {
  const writer = new ByteWriter()

  for (const { number, isVarint, value, raw } of protobufFields(limit)) {
    if (number === LIMIT.duration && isVarint) {
      writeVarintField(writer, LIMIT.duration, Math.ceil(value / MS_PER_SECOND))
    } else {
      writer.bytes(raw)
    }
  }

  return writer.take()
}
