import { type EChartsOption, init, type LineSeriesOption } from 'echarts'
import type { Chart } from '../interface.ts'
import { figure } from './figure.ts'

const WIDTH = 800
const LINES_HEIGHT = 420

/** What bars need: as many as there are, between a head and a foot. */
const BAR_HEIGHT = 15
const GROUP_GAP = 14
const MARGINS = { head: 50, foot: 75 }

/** Greys and colours that stand out from white and from black alike: the ground is transparent. */
const TEXT = '#6e7781'
const GRID = '#6e778155'
const COLOURS = ['#3b82d0', '#e0762f', '#2f9e5f', '#9b6bd6', '#c08a00', '#cc4c7f']

/** The least bar on a logarithmic axis is to be seen: the axis begins this much below it. */
const HEADROOM = 1.5

/** A chart as SVG: the same for the same figures, byte for byte. */
export function chartSVG(chart: Chart): string {
  const height = chart.kind === 'bars' ? barsHeight(chart) : LINES_HEIGHT
  const drawing = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })

  try {
    drawing.setOption({
      ...general(chart),
      ...(chart.kind === 'bars' ? bars(chart) : lines(chart))
    })
    return withoutRunningNumbers(drawing.renderToSVGString())
  } finally {
    drawing.dispose()
  }
}

function barsHeight({ x, series }: Chart): number {
  return MARGINS.head + MARGINS.foot + x.values.length * (series.length * BAR_HEIGHT + GROUP_GAP)
}

function general({ title, series }: Chart): EChartsOption {
  return {
    animation: false,
    color: COLOURS,
    textStyle: { color: TEXT },
    title: { text: title, left: 'center', textStyle: { color: TEXT, fontSize: 16 } },
    legend: { show: series.length > 1, bottom: 5, itemGap: 24, textStyle: { color: TEXT } }
  }
}

/** Bars lie, so that there is room for the names of what they belong to. */
function bars({ x, y, series }: Chart): EChartsOption {
  return {
    grid: { left: 215, right: 70, top: MARGINS.head, bottom: MARGINS.foot },
    xAxis: { ...axis(y.title), ...scale(y, figures(series)), nameLocation: 'middle', nameGap: 24 },
    yAxis: {
      ...axis(''),
      type: 'category',
      inverse: true,
      data: [...x.values],
      axisLabel: { color: TEXT, width: 165, overflow: 'break' },
      splitLine: { show: false }
    },
    series: series.map(({ title: name, values }) => ({
      ...labelled('right'),
      name,
      type: 'bar',
      barCategoryGap: GROUP_GAP,
      data: [...values]
    }))
  }
}

function lines({ x, y, series }: Chart): EChartsOption {
  const isNumeric = x.values.every((value) => typeof value === 'number')
  const type = isNumeric ? numericType(x) : 'category'

  return {
    grid: { left: 70, right: 50, top: MARGINS.head + 15, bottom: MARGINS.foot },
    xAxis: { ...axis(x.title), type, scale: true, nameLocation: 'middle', nameGap: 26 },
    yAxis: { ...axis(y.title), ...scale(y, figures(series)) },
    series: series.map(({ title: name, values }) => ({
      ...labelled('top'),
      name,
      type: 'line',
      symbolSize: 8,
      labelLayout: { hideOverlap: true },
      data: values.map((value, i) => [x.values[i] ?? i, value])
    }))
  }
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

/** A bar on a logarithmic axis begins at 1 unless it is told where. */
function scale(axis: { readonly isLogarithmic?: boolean }, values: readonly number[]): object {
  const least = Math.min(...values.filter((value) => value > 0))

  if (numericType(axis) === 'value' || !Number.isFinite(least)) {
    return { type: 'value' }
  }

  const min = 10 ** Math.floor(Math.log10(least / HEADROOM))
  return { type: 'log', min, startValue: min }
}

function numericType({ isLogarithmic }: { readonly isLogarithmic?: boolean }): 'log' | 'value' {
  return isLogarithmic === true ? 'log' : 'value'
}

function figures(series: Chart['series']): number[] {
  return series.flatMap(({ values }) => values).filter((value) => value !== null)
}

function labelled(position: 'right' | 'top'): {
  label: LineSeriesOption['label'] & { position: 'right' | 'top' }
  emphasis: { disabled: true }
} {
  return {
    emphasis: { disabled: true },
    label: {
      show: true,
      position,
      color: TEXT,
      fontSize: 10,
      textBorderWidth: 0,
      formatter: ({ value }) => label(value)
    }
  }
}

function label(value: unknown): string {
  const shown = Array.isArray(value) ? value.at(-1) : value
  return typeof shown === 'number' ? figure(shown) : ''
}

/** The renderer numbers the classes of all charts of a process, for pointing at them. */
function withoutRunningNumbers(svg: string): string {
  return svg
    .replaceAll(/ class="zr\d+-cls-\d+"/g, '')
    .replaceAll(/<style[^>]*>.*?<\/style>\n?/gs, '')
    .replaceAll(/\bzr\d+-/g, 'zr-')
}
