import type { JSX, TargetedPointerEvent } from 'preact'
import { useState } from 'preact/hooks'
import { shownAgo } from './format.ts'

export interface Series {
  readonly name: string
  readonly values: readonly number[]
}

export interface ChartProps {
  readonly title: string
  readonly times: readonly number[]
  readonly series: readonly Series[]
  readonly shown: (value: number) => string
}

const [WIDTH, HEIGHT] = [600, 120]

/** Lines over time, with the newest values beside the title, or those under the pointer. */
export function Chart({ title, times, series, shown }: ChartProps): JSX.Element {
  const [pointed, setPointed] = useState<number | undefined>()
  const last = times.length - 1
  const index = pointed === undefined ? last : Math.min(pointed, last)
  const most = Math.max(...series.flatMap(({ values }) => values), 0)
  const summary = series
    .map(({ name, values }) => `${name}: ${shown(values.at(-1) ?? 0)}`)
    .join(', ')
  const point = (event: TargetedPointerEvent<SVGSVGElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    setPointed(indexAt(times, (event.clientX - left) / width))
  }

  return (
    <figure class="chart">
      <figcaption>
        <span class="label">{title}</span>
        {series.map(({ name, values }, place) => (
          <span key={name} class={`value line-${place}`}>
            {series.length > 1 && <span class="swatch" aria-hidden="true" />}
            {shown(values[index] ?? 0)}
            {series.length > 1 && <small> {name}</small>}
          </span>
        ))}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title} over time. Now: ${summary}. Highest: ${shown(most)}`}
        onPointerMove={point}
        onPointerLeave={() => setPointed(undefined)}
      >
        {series.map(({ name, values }, place) => (
          <Line key={name} place={place} points={pointsOf(times, values, most)} />
        ))}
        {pointed !== undefined && <Crosshair x={xOf(times, index)} />}
      </svg>
      <div class="axis" aria-hidden="true">
        <span>{times.length < 2 ? 'gathering…' : `${shownAgo(times[0] ?? 0)} ago`}</span>
        <span>highest {shown(most)}</span>
        <span>{pointed === undefined ? 'now' : `${shownAgo(times[index] ?? 0)} ago`}</span>
      </div>
    </figure>
  )
}

function Line({ place, points }: { place: number; points: readonly string[] }): JSX.Element {
  return (
    <g class={`line-${place}`}>
      {points.length > 1 && (
        <polygon class="area" points={`0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} />
      )}
      <polyline class="stroke" points={points.join(' ')} />
    </g>
  )
}

function Crosshair({ x }: { x: number }): JSX.Element {
  return <line class="crosshair" x1={x} x2={x} y1={0} y2={HEIGHT} />
}

function pointsOf(
  times: readonly number[],
  values: readonly number[],
  most: number
): readonly string[] {
  const room = HEIGHT - 6
  return values.map((value, index) => {
    const y = HEIGHT - 3 - (most === 0 ? 0 : (value / most) * room)
    return `${xOf(times, index).toFixed(1)},${y.toFixed(1)}`
  })
}

function xOf(times: readonly number[], index: number): number {
  const [first = 0, last = 1] = [times[0], times.at(-1)]
  return last === first ? 0 : (((times[index] ?? 0) - first) / (last - first)) * WIDTH
}

/** Finds the sample at a share of the chart's width. */
function indexAt(times: readonly number[], share: number): number {
  const [first = 0, last = 1] = [times[0], times.at(-1)]
  const after = times.findIndex((time) => time >= first + share * (last - first))
  return after === -1 ? times.length - 1 : after
}
