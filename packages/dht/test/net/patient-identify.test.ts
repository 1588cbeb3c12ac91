import { identify } from '@libp2p/identify'
import type { ServiceMap } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import { patientIdentify } from '../../src/node/patient-identify.ts'
import { type DisposableNode, libp2pNode, PATIENCE } from '../support/libp2p-node.ts'

const IDENTIFY = '/ipfs/id/1.0.0'
const TIMEOUT_MS = 200

/** Starts a node that answers identify only the second time on a connection. */
async function slowNode(): Promise<{ node: DisposableNode<ServiceMap>; asked: () => number }> {
  const node = await libp2pNode({ identify: identify() })
  const registrar = Reflect.get(node, 'components').registrar
  const { handler, options } = registrar.getHandler(IDENTIFY)
  let asked = 0
  await node.unhandle(IDENTIFY)
  await node.handle(
    IDENTIFY,
    (stream, connection) => (++asked === 1 ? undefined : handler(stream, connection)),
    options
  )
  return { node, asked: () => asked }
}

describe('the identity of a peer (N8f)', () => {
  it('is asked again when the peer was too busy to say so', async () => {
    const { node: slow, asked } = await slowNode()
    await using _slow = slow
    await using node = await libp2pNode({ identify: patientIdentify({ timeoutMs: TIMEOUT_MS }) })
    const identified = vi.fn()
    node.addEventListener('peer:identify', ({ detail }) => identified(String(detail.peerId)))

    await node.dial(slow.getMultiaddrs())
    await vi.waitFor(() => expect(identified).toHaveBeenCalled(), PATIENCE)

    expect(identified).toHaveBeenCalledExactlyOnceWith(String(slow.peerId))
    expect(asked()).toBe(2)
  })

  it('is not asked again of a peer that does not speak identify', async () => {
    await using mute = await libp2pNode({})
    await using node = await libp2pNode({ identify: patientIdentify() })
    const identify = vi.spyOn(node.services.identify, 'identify')

    await node.dial(mute.getMultiaddrs())
    await vi.waitUntil(() => identify.mock.settledResults[0]?.type === 'rejected', PATIENCE)
    await node.hangUp(mute.peerId)

    expect(identify).toHaveBeenCalledOnce()
  })

  it('is not asked again of a peer that connects again, but is told all the same (N10e)', async () => {
    await using known = await libp2pNode({ identify: identify() })
    await using node = await libp2pNode({ identify: patientIdentify() })
    const identified = vi.fn()
    node.addEventListener('peer:identify', ({ detail }) => identified(detail.connection.id))
    const ask = vi.spyOn(node.services.identify, 'identify')

    await node.dial(known.getMultiaddrs())
    await vi.waitFor(() => expect(identified).toHaveBeenCalledOnce(), PATIENCE)
    await node.hangUp(known.peerId)
    const again = await node.dial(known.getMultiaddrs())
    await vi.waitFor(() => expect(identified).toHaveBeenLastCalledWith(again.id), PATIENCE)

    expect(ask).toHaveBeenCalledOnce()
  })

  it('is asked of a peer that connected again and stays, since it may have changed (N10e)', async () => {
    await using known = await libp2pNode({ identify: identify() })
    await using node = await libp2pNode({ identify: patientIdentify({ recheckMs: 50 }) })
    const ask = vi.spyOn(node.services.identify, 'identify')

    await node.dial(known.getMultiaddrs())
    await vi.waitUntil(() => ask.mock.settledResults[0]?.type === 'fulfilled', PATIENCE)
    await node.hangUp(known.peerId)
    await node.dial(known.getMultiaddrs())
    await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2), PATIENCE)
  })
})
