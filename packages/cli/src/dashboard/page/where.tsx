import type { JSX } from 'preact'
import { shownBytes } from '../../text/count.ts'
import { type Json, lines } from '../../text/json.ts'
import { shownDuration } from '../../text/time.ts'
import { shortId, shownMs } from './format.ts'
import { Table } from './panel.tsx'

/** The replicas of a key, in the format of `waggle inspect --json`. */
export interface Located {
  readonly point: string
  readonly found: Json
  readonly peers: readonly {
    readonly peer: string
    readonly role: string
    readonly state: string
    readonly entries: number
    readonly bytes: number
    readonly expirationTime: number | null
    readonly tookMs: number
  }[]
}

/** A search for the replicas of a key. */
export interface Whereabouts {
  readonly key: string
  readonly isSearching?: boolean
  readonly error?: string
  readonly located?: Located
}

/** The peers near a key, and their records. */
export function Where({
  where: { key, isSearching, error, located },
  onClose
}: {
  where: Whereabouts
  onClose: () => void
}): JSX.Element {
  return (
    <section class="where" aria-label="Where the key lives">
      <header>
        <h3>
          Where <code>{key}</code> lives
        </h3>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </header>
      {isSearching === true && <p>Asking the nearest peers…</p>}
      {error !== undefined && <p class="error">{error}</p>}
      {located !== undefined && <Peers located={located} />}
    </section>
  )
}

function Peers({ located: { found, peers } }: { located: Located }): JSX.Element {
  const now = Date.now() / 1000
  const replicas = peers.filter(({ role }) => role === 'replica')
  const current = replicas.filter(({ state }) => state === 'current')
  return (
    <>
      <p>
        {found === null
          ? 'Nothing is stored there.'
          : `${current.length} of ${replicas.length} replicas hold all of it.`}
      </p>
      {found !== null && <pre>{lines(found)}</pre>}
      <Table
        label="Peers near the key"
        headings={['peer', 'role', 'state', 'holds', 'expires in', 'took']}
        numbers={[3, 4, 5]}
        empty="No peer answered."
        rows={peers.map((one) => ({
          key: one.peer,
          cells: [
            <code key="peer" title={one.peer}>
              {shortId(one.peer)}
            </code>,
            one.role,
            <span key="state" class={`state ${one.state}`}>
              {one.state}
            </span>,
            shownBytes(one.bytes),
            one.expirationTime === null ? '–' : shownDuration(one.expirationTime - now),
            shownMs(one.tookMs)
          ]
        }))}
      />
    </>
  )
}
