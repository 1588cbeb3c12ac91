import type { JSX } from 'preact'
import type { PeerPlace } from '../../control/overview.ts'
import { counted } from '../../text/count.ts'
import { shortId } from './format.ts'
import { Panel } from './panel.tsx'

interface RingProps {
  readonly position: number
  readonly peers: readonly PeerPlace[]
  readonly counts: readonly number[]
  readonly records: number

  /** Position of the key that was looked for last. */
  readonly keyPosition?: number | undefined
}

/** Radii of the ring, and of the longest bar of records. */
const [RADIUS, LONGEST] = [68, 100]

/** The ring of keys with this node, its peers and its records. */
export function RingPanel({
  position,
  peers,
  counts,
  records,
  keyPosition
}: RingProps): JSX.Element {
  const most = Math.max(...counts, 1)
  const told = `This node, ${counted(peers.length, 'peer')} and ${counted(records, 'record')} on the ring of keys`
  return (
    <Panel title="Ring of keys" note="near keys and peers belong together">
      <svg class="ring" viewBox="-108 -108 216 216" role="img" aria-label={told}>
        <circle class="track" r={RADIUS} />
        {counts.map((count, part) => (
          <Bar key={part} turn={(part + 0.5) / counts.length} share={count / most} />
        ))}
        {peers.map(({ id, position: turn }) => (
          <circle key={id} class="peer" r={3} cx={x(turn, RADIUS)} cy={y(turn, RADIUS)}>
            <title>{shortId(id)}</title>
          </circle>
        ))}
        {keyPosition !== undefined && <KeyMark turn={keyPosition} />}
        <circle class="self" r={5.5} cx={x(position, RADIUS)} cy={y(position, RADIUS)}>
          <title>This node</title>
        </circle>
        <text class="big" y={-2}>
          {records.toLocaleString('en')}
        </text>
        <text class="small" y={13}>
          {records === 1 ? 'record' : 'records'}
        </text>
      </svg>
      <ul class="legend">
        <li class="self">this node</li>
        <li class="peer">connected peers</li>
        <li class="record">records held</li>
        {keyPosition !== undefined && <li class="key">the key looked for</li>}
      </ul>
    </Panel>
  )
}

function Bar({ turn, share }: { turn: number; share: number }): JSX.Element | null {
  if (share === 0) {
    return null
  }

  const [from, to] = [RADIUS + 6, RADIUS + 8 + share * (LONGEST - RADIUS - 8)]
  return (
    <line class="bar" x1={x(turn, from)} y1={y(turn, from)} x2={x(turn, to)} y2={y(turn, to)} />
  )
}

function KeyMark({ turn }: { turn: number }): JSX.Element {
  const [from, to] = [RADIUS - 20, RADIUS + 4]
  return (
    <line class="key" x1={x(turn, from)} y1={y(turn, from)} x2={x(turn, to)} y2={y(turn, to)} />
  )
}

function x(turn: number, radius: number): number {
  return radius * Math.sin(turn * 2 * Math.PI)
}

function y(turn: number, radius: number): number {
  return -radius * Math.cos(turn * 2 * Math.PI)
}
