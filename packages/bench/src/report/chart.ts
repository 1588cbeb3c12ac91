import { type EChartsOption, init } from 'echarts'
import { figure } from '../result/figure.ts'
import type { Cell, Chart, Table } from '../result/result.ts'

const WIDTH = 800
const LINES_HEIGHT = 420

/** Heights of bars, of the gaps between their groups, and of the margins around them. */
const BAR_HEIGHT = 15
const GROUP_GAP = 14
const MARGINS = { head: 50, foot: 75 }

/** Greys and colours that are visible on white and on black: the ground is transparent. */
const TEXT = '#6e7781'
const GRID = '#6e778155'
const COLOURS = ['#3b82d0', '#e0762f', '#2f9e5f', '#9b6bd6', '#c08a00', '#cc4c7f']

/** Factor between the least bar and the start of a logarithmic axis: the bar has to be visible. */
const HEADROOM = 1.5

interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: string | number, y: number | null])[]
}

/** Draws a chart of a table as SVG: the same for the same figures, byte for byte. */
export function chartSVG(chart: Chart, table: Table): string {
  const series = seriesOf(chart, table)
  const bars = series[0]?.points.length ?? 0
  const height =
    chart.kind === 'lines'
      ? LINES_HEIGHT
      : MARGINS.head + MARGINS.foot + bars * (series.length * BAR_HEIGHT + GROUP_GAP)
  const drawing = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })

  try {
    drawing.setOption({
      animation: false,
      color: COLOURS,
      textStyle: { color: TEXT },
      title: { text: chart.title, left: 'center', textStyle: { color: TEXT, fontSize: 16 } },
      legend: { show: series.length > 1, bottom: 5, itemGap: 24, textStyle: { color: TEXT } },
      ...(chart.kind === 'bars' ? barOptions(chart, series) : lineOptions(chart, series))
    })
    return withoutRunningNumbers(drawing.renderToSVGString())
  } finally {
    drawing.dispose()
  }
}

/** Reads the series from the columns of the table. */
function seriesOf({ x, y, by, only = {} }: Chart, { columns, rows }: Table): Series[] {
  const cell = (row: readonly Cell[], column: string): Cell => row[columns.indexOf(column)] ?? null
  const drawn = rows.filter((row) => {
    return Object.entries(only).every(([column, value]) => cell(row, column) === value)
  })
  const at = (row: readonly Cell[]): string | number => {
    const [first, ...others] = x.map((column) => cell(row, column) ?? '')
    return others.length > 0 ? `${first} (${others.join(', ')})` : (first ?? '')
  }
  const groups =
    by === undefined ? new Map([['', drawn]]) : Map.groupBy(drawn, (row) => String(cell(row, by)))
  const places = [...new Set(drawn.map(at))]

  return [...groups].flatMap(([group, members]) =>
    y.map((column) => ({
      name: by === undefined ? column : group,
      points: places.map((place) => {
        const found = members.find((row) => at(row) === place)
        const value = found && cell(found, column)
        return [place, typeof value === 'number' ? value : null] as const
      })
    }))
  )
}

/** Lays bars horizontally, which leaves room for the names at their left. */
function barOptions({ y, logarithmic }: Chart, series: readonly Series[]): EChartsOption {
  return {
    grid: { left: 215, right: 70, top: MARGINS.head, bottom: MARGINS.foot },
    xAxis: {
      ...axis(unitOf(y)),
      ...scale(logarithmic === 'y', series),
      nameLocation: 'middle',
      nameGap: 24
    },
    yAxis: {
      ...axis(''),
      type: 'category',
      inverse: true,
      data: series[0]?.points.map(([place]) => place) ?? [],
      axisLabel: { color: TEXT, width: 165, overflow: 'break' },
      splitLine: { show: false }
    },
    series: series.map(({ name, points }) => ({
      ...labelled('right'),
      name,
      type: 'bar',
      barCategoryGap: GROUP_GAP,
      data: points.map(([, value]) => value)
    }))
  }
}

function lineOptions({ x, y, logarithmic }: Chart, series: readonly Series[]): EChartsOption {
  return {
    grid: { left: 70, right: 50, top: MARGINS.head + 15, bottom: MARGINS.foot },
    xAxis: {
      ...axis(x.join(', ')),
      type: logarithmic === 'x' ? 'log' : 'value',
      scale: true,
      nameLocation: 'middle',
      nameGap: 26
    },
    yAxis: { ...axis(unitOf(y)), ...scale(logarithmic === 'y', series) },
    series: series.map(({ name, points }) => ({
      ...labelled('top'),
      name,
      type: 'line',
      symbolSize: 8,
      labelLayout: { hideOverlap: true },
      data: points.map((point) => [...point])
    }))
  }
}

/** Returns the unit of several columns, or the heading of a single one. */
function unitOf(columns: readonly string[]): string {
  const [first = ''] = columns
  return columns.length === 1 ? first : (/\(([^)]*)\)$/.exec(first)?.[1] ?? '')
}

function axis(name: string): object {
  return {
    name,
    nameTextStyle: { color: TEXT },
    axisLabel: { color: TEXT, formatter: figure },
    axisLine: { lineStyle: { color: TEXT } },
    splitLine: { lineStyle: { color: GRID } }
  }
}

/** Scales the axis of the figures. A bar on a logarithmic axis begins at 1 unless it is told where. */
function scale(isLogarithmic: boolean, series: readonly Series[]): object {
  const values = series.flatMap(({ points }) => points.map(([, value]) => value ?? 0))
  const least = Math.min(...values.filter((value) => value > 0))

  if (!isLogarithmic || !Number.isFinite(least)) {
    return { type: 'value' }
  }

  const min = 10 ** Math.floor(Math.log10(least / HEADROOM))
  return { type: 'log', min, startValue: min }
}

function labelled<P extends 'right' | 'top'>(position: P) {
  return {
    emphasis: { disabled: true },
    label: {
      show: true,
      position,
      color: TEXT,
      fontSize: 10,
      textBorderWidth: 0,
      formatter: ({ value }: { value: unknown }) => {
        const shown = Array.isArray(value) ? value.at(-1) : value
        return typeof shown === 'number' ? figure(shown) : ''
      }
    }
  }
}

/** Removes the numbers that the renderer gives to the classes of all charts of a process. */
function withoutRunningNumbers(svg: string): string {
  return svg
    .replaceAll(/ class="zr\d+-cls-\d+"/g, '')
    .replaceAll(/<style[^>]*>.*?<\/style>\n?/gs, '')
    .replaceAll(/\bzr\d+-/g, 'zr-')
}
