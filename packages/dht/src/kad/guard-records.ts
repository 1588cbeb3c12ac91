import type { PeerId } from '@libp2p/interface'
import type { MessageType } from '@libp2p/kad-dht'
import type { Access } from '../peers/access.ts'
import type { KadInternals } from './internals.ts'
import { GET_VALUE_TYPE, PUT_VALUE_TYPE } from './message-types.ts'

/**
 * Has kad-dht refuse to read and write records for peers that may not, as it refuses invalid ones,
 * until the signal is aborted. Requests for peers are kad-dht's own affair.
 *
 * @throws Error when there are rules that this kad-dht does not let us enforce
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
    throw new Error('this peer may not ask here')
  }

  if (isWrite && !(await access.allows(peer, 'write'))) {
    throw new Error('this peer may not store here')
  }
}
