import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Overview } from '../../control/overview.ts'
import { shownDuration } from '../../text/time.ts'
import { ActivityPanel } from './activity-panel.tsx'
import { Client } from './client.ts'
import { EventsPanel } from './events-panel.tsx'
import { shortId } from './format.ts'
import { HealthPanel } from './health-panel.tsx'
import { JoinPanel } from './join-panel.tsx'
import { PeersPanel } from './peers-panel.tsx'
import { RecordsPanel } from './records-panel.tsx'
import { RingPanel } from './ring-panel.tsx'
import { TokenForm } from './token-form.tsx'
import { type NodeView, useNode } from './use-node.ts'
import { CallsPanel, ServedPanel } from './work-panel.tsx'
import { WritePanel } from './write-panel.tsx'

/** The page: a question for the token, and then the node. */
export function Page({ token: first }: { token: string | undefined }): JSX.Element {
  const [token, setToken] = useState(first)
  const [isRefused, setRefused] = useState(false)

  if (token === undefined) {
    return <TokenForm isRefused={isRefused} onToken={setToken} />
  }

  const refuse = (): void => {
    setRefused(true)
    setToken(undefined)
  }
  return <Dashboard key={token} token={token} onRefused={refuse} />
}

function Dashboard({ token, onRefused }: { token: string; onRefused: () => void }): JSX.Element {
  const client = useMemo(() => new Client(token), [token])
  const node = useNode(client)
  const { link, state } = node
  const name = state && shortId(state.overview.peerId)

  useEffect(() => {
    document.title = name === undefined ? 'Waggle' : `Waggle ${name}`
  }, [name])

  useEffect(() => {
    link === 'refused' && onRefused()
  }, [link, onRefused])

  return (
    <>
      <Header link={link} overview={state?.overview} />
      <main>
        {state === undefined ? (
          <p class="empty">{link === 'lost' ? 'The node does not answer.' : 'Connecting…'}</p>
        ) : (
          <Panels node={node} state={state} client={client} />
        )}
      </main>
    </>
  )
}

const LINKS: Readonly<Record<NodeView['link'], string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'No answer',
  refused: 'Refused'
}

function Header({
  link,
  overview
}: {
  link: NodeView['link']
  overview: Overview | undefined
}): JSX.Element {
  return (
    <header class="top">
      <h1>
        <img src="/icon.svg" alt="" width="28" height="28" /> Waggle
      </h1>
      <p class="who">
        {overview !== undefined && (
          <>
            <code title={overview.peerId}>{shortId(overview.peerId)}</code>
            <span>
              version {overview.version}, up {shownDuration(Math.round(overview.uptimeSeconds))}
            </span>
          </>
        )}
      </p>
      <p class={`link ${link}`} role="status">
        {LINKS[link]}
      </p>
    </header>
  )
}

interface PanelsProps {
  readonly node: NodeView
  readonly state: NonNullable<NodeView['state']>
  readonly client: Client
}

function Panels({ node, state, client }: PanelsProps): JSX.Element {
  const { overview, health, calls, connections, ring, events } = state
  const [located, setLocated] = useState<number | undefined>()
  return (
    <div class="panels">
      <HealthPanel health={health} />
      <JoinPanel addresses={overview.addresses} />
      <ActivityPanel samples={node.samples} />
      <RingPanel
        position={overview.position}
        peers={overview.peers}
        counts={ring}
        records={overview.stats.records}
        keyPosition={located}
      />
      <RecordsPanel client={client} onLocate={setLocated} />
      {node.canWrite && <WritePanel client={client} />}
      <ServedPanel stats={overview.stats} />
      <CallsPanel calls={calls} />
      <PeersPanel connections={connections} />
      <EventsPanel events={events} />
    </div>
  )
}
