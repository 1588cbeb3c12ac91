import type { JSX } from 'preact'
import { Copyable, Panel } from './panel.tsx'

/** Addresses that only this machine can reach. */
const LOOPBACK = /^\/ip[46]\/(127\.|::1\/)/

/** Instructions for joining the network through this node. */
export function JoinPanel({ addresses }: { addresses: readonly string[] }): JSX.Element {
  const address = addresses.find((one) => !LOOPBACK.test(one)) ?? addresses[0]

  if (address === undefined) {
    return (
      <Panel title="Join">
        <p>This node is a client. Others join through the servers that it is connected to.</p>
      </Panel>
    )
  }

  return (
    <Panel
      title="Join"
      note={LOOPBACK.test(address) ? 'from this machine only' : 'from other machines, too'}
    >
      <Copyable label="Start another node" text={`waggle serve --listen-on :0 -p ${address}`} />
      <Copyable label="Store a value" text={`waggle store greeting hello -p ${address}`} />
      <Copyable
        label="In a program"
        text={`const dht = await DHT.create({ initialPeers: ['${address}'] })`}
      />
    </Panel>
  )
}
