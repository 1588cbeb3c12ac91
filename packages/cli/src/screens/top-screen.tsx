import { Box } from 'ink'
import type { ReactElement } from 'react'
import type { RecordInShort } from '../control/held-records.ts'
import type { Overview } from '../control/overview.ts'
import { shownBytes, shownCount } from '../text/count.ts'
import { shownDuration } from '../text/time.ts'
import type { Rates } from './rates.ts'
import { density, nodesOnRing } from './ring-line.ts'
import { Styled } from './styled.tsx'

export interface TopProps {
  readonly overview: Overview
  readonly rates: Rates
  readonly now: number
  readonly columns: number
  readonly rows: number
}

/** Lines above the records: title, address, figures, ring, headings, and the gaps. */
const LINES_ABOVE = 14

/** A node, live: its identity, its rates, its position on the ring, and its records. */
export function TopScreen({ overview, rates, now, columns, rows }: TopProps): ReactElement {
  const room = Math.max(rows - LINES_ABOVE - 1, 0)
  return (
    <Box flexDirection="column" width={columns} height={rows - 1} overflow="hidden">
      <Title {...overview} />
      <Figures overview={overview} rates={rates} />
      <Ring {...overview} columns={columns} />
      <Records records={overview.records.slice(0, room)} now={now} />
    </Box>
  )
}

function Title({ peerId, addresses, uptimeSeconds, version }: Overview): ReactElement {
  return (
    <Box flexDirection="column" marginBottom={1} flexShrink={0}>
      <Box justifyContent="space-between">
        <Styled tone="strong">
          waggle {version} up {shownDuration(uptimeSeconds)}
        </Styled>
        <Styled tone="faint">q quits</Styled>
      </Box>
      <Styled tone="name">{peerId}</Styled>
      <Styled tone="faint">{addresses[0]?.replace(/\/p2p\/.*/, '') ?? 'a client'}</Styled>
    </Box>
  )
}

type Figure = readonly [name: string, text: string]

function Figures({
  overview: { stats },
  rates
}: {
  overview: Overview
  rates: Rates
}): ReactElement {
  const perSecond = (rate: number | undefined): string =>
    rate === undefined ? '–' : `${shownCount(Math.round(rate * 10) / 10)}/s`
  const traffic = (rate: number | undefined): string =>
    rate === undefined ? '–' : `${shownBytes(rate)}/s`
  const columns: readonly (readonly Figure[])[] = [
    [
      ['records', `${shownCount(stats.records)}, ${shownBytes(stats.bytes)}`],
      ['peers', `${stats.peers} of ${stats.knownPeers} known`],
      ['dials', `${shownCount(stats.dials)}, ${shownCount(stats.refusedDials)} refused`],
      ['cache', `${shownCount(stats.cachedRecords)}, ${shownCount(stats.cacheHits)} hits`]
    ],
    [
      ['stored', perSecond(rates.stored)],
      ['expired', perSecond(rates.expired)],
      ['disk', stats.persistence?.state ?? 'none']
    ],
    [
      ['received', traffic(rates.receivedBytes)],
      ['sent', traffic(rates.sentBytes)],
      ['CPU', rates.cpu === undefined ? '–' : `${Math.round(rates.cpu * 100)} %`]
    ]
  ]
  return (
    <Box flexShrink={0} marginBottom={1}>
      {columns.map((figures) => (
        <Box key={figures[0]?.[0]} flexDirection="column" flexGrow={1} flexBasis={0}>
          {figures.map(([name, text]) => (
            <Box key={name}>
              <Box width={10} flexShrink={0}>
                <Styled tone="faint">{name}</Styled>
              </Box>
              <Styled>{text}</Styled>
            </Box>
          ))}
        </Box>
      ))}
    </Box>
  )
}

function Ring({ position, peers, records, columns }: Overview & { columns: number }): ReactElement {
  const places = (all: readonly { position: number }[]): number[] => all.map((one) => one.position)
  return (
    <Box flexDirection="column" flexShrink={0} marginBottom={1}>
      <Styled tone="faint">The ring of keys: ◆ this node ● its peers █ its records</Styled>
      <Styled tone="good">{density(places(records), columns)}</Styled>
      <Styled tone="name">{nodesOnRing(position, places(peers), columns)}</Styled>
    </Box>
  )
}

function Records({
  records,
  now
}: {
  records: readonly RecordInShort[]
  now: number
}): ReactElement {
  return (
    <Box flexDirection="column" flexGrow={1} overflow="hidden">
      <Row key="heading" tone="faint" cells={['expires in', 'key', 'value']} />
      {records.map(({ key, value, expirationTime }) => (
        <Row key={key} cells={[shownDuration(Math.max(expirationTime - now, 0)), key, value]} />
      ))}
    </Box>
  )
}

interface RowProps {
  readonly cells: readonly [expiry: string, key: string, value: string]
  readonly tone?: 'faint'
}

function Row({ cells: [expiry, key, value], tone }: RowProps): ReactElement {
  return (
    <Box height={1} flexShrink={0}>
      <Box width={12} flexShrink={0}>
        <Styled tone={tone}>{expiry}</Styled>
      </Box>
      <Box width="35%" flexShrink={0} paddingRight={2}>
        <Styled tone={tone ?? 'name'}>{key}</Styled>
      </Box>
      <Box flexGrow={1}>
        <Styled tone={tone}>{value}</Styled>
      </Box>
    </Box>
  )
}
