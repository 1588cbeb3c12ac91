import type { PeerId } from '@libp2p/interface'
import type { MessageType } from '@libp2p/kad-dht'
import type { Access } from '../peers/access.ts'
import type { KadInternals } from './internals.ts'
import { GET_VALUE_TYPE, PUT_VALUE_TYPE } from './message-types.ts'

/**
 * Makes kad-dht refuse to read and write records for denied peers, as it refuses invalid ones, until the signal is
 * aborted. Requests for peers remain kad-dht's own.
 *
 * @throws Error when `allowPeer` is given and can't be enforced with this kad-dht
 */
export function guardRecords({ rpc }: KadInternals, access: Access, lifetime: AbortSignal): void {
  if (access.isOpen) {
    return
  }

  if (rpc === undefined) {
    throw new Error(
      'allowPeer can not be enforced with this version of @libp2p/kad-dht: install 16.4'
    )
  }

  const handle = rpc.handleMessage

  rpc.handleMessage = async (peer, message) => {
    await assertAllowed(peer, message.type, access)
    return handle.call(rpc, peer, message)
  }
  lifetime.addEventListener('abort', () => {
    rpc.handleMessage = handle
  })
}

async function assertAllowed(peer: PeerId, type: MessageType, access: Access): Promise<void> {
  const isWrite = type === PUT_VALUE_TYPE

  if ((isWrite || type === GET_VALUE_TYPE) && !(await access.allows(peer, 'connect'))) {
    throw new Error('this peer may not send requests here')
  }

  if (isWrite && !(await access.allows(peer, 'write'))) {
    throw new Error('this peer may not store here')
  }
}
