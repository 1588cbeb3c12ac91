import { Box } from 'ink'
import type { ReactElement } from 'react'
import type { Guest, PartyEvent } from '../party/guests.ts'
import type { Tone } from '../text/paint.ts'
import { shownClock } from '../text/time.ts'
import { Styled } from './styled.tsx'

export interface PartyProps {
  readonly name: string
  readonly address: string
  readonly guests: readonly Guest[]

  /** Events, newest last. */
  readonly events: readonly PartyEvent[]
  readonly now: number
  readonly columns: number
  readonly rows: number
}

/** Lines for the title, the hint, the headings, the count of hidden guests, and the gaps. */
const OTHER_LINES = 7

/** Share of the lines for guests; events get the rest. */
const GUESTS_SHARE = 0.6

const ANSWER_TONES: Readonly<Record<string, Tone>> = { yes: 'good', no: 'bad' }

/** The party: its guests, its events, and the keys to press. */
export function PartyScreen(props: PartyProps): ReactElement {
  const { name, address, guests, events, now, columns, rows } = props
  const room = Math.max(rows - 1 - OTHER_LINES, 2)
  const guestRoom = Math.min(guests.length, Math.max(Math.floor(room * GUESTS_SHARE), 1))
  const shownEvents = events.slice(-(room - guestRoom))
  return (
    <Box flexDirection="column" width={columns} height={rows - 1} overflow="hidden">
      <Box justifyContent="space-between">
        <Styled tone="strong">
          The party: {guests.length === 1 ? '1 guest' : `${guests.length} guests`}
        </Styled>
        <Styled tone="faint">y n m answer, q leaves</Styled>
      </Box>
      <Styled tone="faint">to join, run: waggle party &lt;name&gt;{from(address)}</Styled>
      <Guests guests={guests.slice(0, guestRoom)} own={name} now={now} />
      <Hidden count={guests.length - guestRoom} />
      <Events events={shownEvents} />
    </Box>
  )
}

/** Describes the option for guests on other machines; guests on this machine find each other without it. */
function from(address: string): string {
  const [, host = '', port = ''] = /^\/ip[46]\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? []
  const hostAndPort = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return host === '' || host.startsWith('127.') || host === '::1' ? '' : ` -p ${hostAndPort}`
}

interface GuestsProps {
  readonly guests: readonly Guest[]
  readonly own: string
  readonly now: number
}

function Guests({ guests, own, now }: GuestsProps): ReactElement {
  return (
    <Box flexDirection="column" flexShrink={0} marginTop={1}>
      <Cells cells={['guest', 'comes', 'says so for']} tones={['faint', 'faint', 'faint']} />
      {guests.map(({ name, answer, expirationTime }) => (
        <Cells
          key={name}
          cells={[
            name === own ? `${name} (you)` : name,
            answer,
            `${Math.max(expirationTime - now, 0).toFixed(0)} s`
          ]}
          tones={['name', ANSWER_TONES[answer], undefined]}
        />
      ))}
    </Box>
  )
}

interface CellsProps {
  readonly cells: readonly string[]
  readonly tones: readonly (Tone | undefined)[]
}

function Cells({ cells, tones }: CellsProps): ReactElement {
  return (
    <Box height={1} flexShrink={0}>
      {cells.map((cell, i) => (
        <Box key={tones.length - i} flexBasis={0} flexGrow={i === 0 ? 2 : 1} paddingRight={2}>
          <Styled tone={tones[i]}>{cell}</Styled>
        </Box>
      ))}
    </Box>
  )
}

function Hidden({ count }: { count: number }): ReactElement | null {
  return count > 0 ? <Styled tone="faint">and {count} more</Styled> : null
}

function Events({ events }: { events: readonly PartyEvent[] }): ReactElement {
  return (
    <Box flexDirection="column" marginTop={1} flexGrow={1} overflow="hidden">
      {events.map(({ text, time }) => (
        <Box key={`${time} ${text}`} height={1} flexShrink={0}>
          <Box width={10} flexShrink={0}>
            <Styled tone="faint">{shownClock(time)}</Styled>
          </Box>
          <Styled>{text}</Styled>
        </Box>
      ))}
    </Box>
  )
}
