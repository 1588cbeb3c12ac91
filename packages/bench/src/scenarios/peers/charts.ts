import type { Chart } from '../../interface.ts'
import type { Figures } from './figures.ts'
import type { Summary } from './summary.ts'

const BYTES_PER_MB = 1e6

/** The tables' main figures, system beside system. */
export function charts(found: Summary): Chart[] {
  const { plan } = found

  return [
    chart(found, {
      name: 'one-by-one',
      title: 'One by one: p50',
      y: { title: 'ms', isLogarithmic: true },
      series: {
        store: ({ oneByOne }) => oneByOne.store?.p50Ms,
        get: ({ oneByOne }) => oneByOne.get?.p50Ms,
        'get latest': ({ oneByOne }) => oneByOne.latest?.p50Ms,
        miss: ({ oneByOne }) => oneByOne.miss?.p50Ms
      }
    }),
    chart(found, {
      name: 'in-flight',
      title: `${plan.depth} in flight: operations per second`,
      y: { title: 'per second', isLogarithmic: true },
      series: {
        stores: ({ inFlight }) => inFlight.store.rate,
        gets: ({ inFlight }) => inFlight.get.rate
      }
    }),
    chart(found, {
      name: 'memory',
      title: 'Memory of all servers',
      y: { title: 'MB' },
      series: {
        'at first': ({ startBytes }) => startBytes / BYTES_PER_MB,
        'after the load': ({ loadedBytes }) => loadedBytes / BYTES_PER_MB
      }
    }),
    chart(found, {
      name: 'crash',
      title: `Nodes killed: the next ${plan.afterFailure} gets`,
      y: { title: 'ms', isLogarithmic: true },
      series: {
        p50: ({ afterCrash }) => afterCrash.p50Ms,
        p95: ({ afterCrash }) => afterCrash.p95Ms
      }
    })
  ]
}

interface ChartOfFigures extends Pick<Chart, 'name' | 'title' | 'y'> {
  readonly series: Readonly<Record<string, (figures: Figures) => number | undefined>>
}

function chart({ systems }: Summary, { series, ...rest }: ChartOfFigures): Chart {
  const present = systems.flatMap(({ contestant, figures }) =>
    figures ? [{ contestant, figures }] : []
  )

  return {
    ...rest,
    kind: 'bars',
    x: { title: 'system', values: present.map(({ contestant }) => contestant.title) },
    series: Object.entries(series).map(([title, figureIn]) => ({
      title,
      values: present.map(({ figures }) => figureIn(figures) ?? null)
    }))
  }
}
