import type { Connection, NewStreamOptions, Stream } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { type Door, doorOf } from './door.ts'
import type { StreamGuard } from './guarded-stream.ts'
import { overriding } from './overriding.ts'

/** Returns the guard of a stream. Called for each stream, because a guard may have state. */
export type ProtocolGuard = (connection: Connection, stream: Stream) => StreamGuard

/** The components of libp2p that guards wrap. */
export interface GuardableComponents {
  readonly events: object
  readonly registrar: Registrar
}

interface Dialling {
  readonly connectionManager: ConnectionManager
}

/** Wraps the registrar for a protocol's service: each inbound stream is guarded and scheduled. */
export function guardedRegistrar(
  registrar: Registrar,
  door: Door,
  guard: ProtocolGuard
): Registrar {
  return overriding<Registrar>(registrar, {
    handle: (protocol, handler, options) =>
      registrar.handle(
        protocol,
        (stream, connection) => {
          const guarded = door.guard(stream, connection, guard(connection, stream))
          const { promise, resolve, reject } = Promise.withResolvers<void>()
          // A stream that has ended in the meantime needs no response.
          const serve = async (): Promise<void> =>
            guarded.status === 'open' ? handler(guarded, connection) : undefined
          door.admit(connection.remotePeer.toString(), () => serve().then(resolve, reject))
          return promise
        },
        options
      )
  })
}

/** Wraps a connection so that outbound streams are guarded, too. */
export function guardedConnection(
  connection: Connection,
  door: Door,
  guard: ProtocolGuard
): Connection {
  return overriding<Connection>(connection, {
    newStream: async (protocols: string | string[], options?: NewStreamOptions) => {
      const stream = await connection.newStream(protocols, options)
      return door.guard(stream, connection, guard(connection, stream))
    }
  })
}

/** Wraps libp2p's components for a protocol's service. */
export function guardedComponents<C extends GuardableComponents>(
  components: C,
  guard: ProtocolGuard,
  others: Partial<C> = {}
): C {
  const door = doorOf(components)
  return overriding<C>(components, {
    registrar: guardedRegistrar(components.registrar, door, guard),
    ...others
  } as Partial<C>)
}

/** Wraps a connection manager so that the streams it opens are guarded. */
export function guardedStreams(
  components: Dialling & { readonly events: object },
  guard: ProtocolGuard
): ConnectionManager {
  const door = doorOf(components)
  const { connectionManager } = components
  return overriding<ConnectionManager>(connectionManager, {
    openStream: async (peer, protocols, options) => {
      const connection = await connectionManager.openConnection(peer, options)
      return guardedConnection(connection, door, guard).newStream(protocols, options)
    }
  })
}
