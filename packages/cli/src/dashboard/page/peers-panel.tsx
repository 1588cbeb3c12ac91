import type { JSX } from 'preact'
import type { PeerConnection } from '../../control/connections.ts'
import { counted, shownCount } from '../../text/count.ts'
import { shortId, shownAgo, shownMs } from './format.ts'
import { Panel, Table } from './panel.tsx'

const HEADINGS = [
  'peer',
  'address',
  'direction',
  'transport',
  'round trip',
  'connected for',
  'keys served',
  'program'
]

/** The connections of the node. */
export function PeersPanel({
  connections
}: {
  connections: readonly PeerConnection[]
}): JSX.Element {
  const servers = connections.filter(({ isServer }) => isServer).length
  const sorted = connections.toSorted((a, b) => b.servedKeys - a.servedKeys || a.since - b.since)
  return (
    <Panel
      title="Peers"
      note={`${counted(connections.length, 'connection')}, ${servers} with servers`}
      wide
    >
      <Table
        label="Connected peers"
        headings={HEADINGS}
        numbers={[4, 5, 6]}
        empty="No peer is connected."
        rows={sorted.map((peer) => ({
          key: `${peer.id} ${peer.address} ${peer.since}`,
          cells: [
            <code key="id" title={peer.id}>
              {shortId(peer.id)}
            </code>,
            <code key="address">{peer.address}</code>,
            peer.direction,
            peer.transport,
            shownMs(peer.roundTripMs),
            shownAgo(peer.since),
            shownCount(peer.servedKeys),
            peer.agent
          ]
        }))}
      />
    </Panel>
  )
}
