import type { Layers } from '../../floor/bare-node.ts'
import type { Column, Table } from '../../interface.ts'
import { total, totalOf } from '../../statistics.ts'
import { absence } from './absence.ts'
import type { Figures, Throughput } from './figures.ts'
import { figuresFor, type Summary, type SystemSummary } from './summary.ts'

type Cell = string | number | null
type Row = readonly Cell[]

const BYTES_PER_MB = 1e6

/** Everything that was measured, a table for each kind of load. */
export function tables(found: Summary): Table[] {
  return [
    oneByOne(found),
    floorRatios(found),
    ratios(found),
    inFlight(found),
    bulk(found),
    costs(found),
    failures(found)
  ]
}

/** What the rows and columns of bare streams are called. */
const BARE: Readonly<Record<Layers, string>> = {
  stock: "libp2p's own streams",
  layered: 'streams with the layers of Waggle'
}
const LAYERS = ['stock', 'layered'] as const

function oneByOne(found: Summary): Table {
  return {
    title: `${found.plan.oneByOne} operations of each kind, one by one`,
    columns: [
      { title: 'system' },
      ...['store', 'get', 'get latest', 'miss'].flatMap((each) => [
        { title: `${each} p50`, unit: 'ms' },
        { title: `${each} p95`, unit: 'ms' }
      ]),
      { title: 'failed' }
    ],
    rows: [
      ...LAYERS.flatMap((layers): Row[] => {
        const { roundTrip, fanOut } = found.floors[layers]
        return [
          [
            `${BARE[layers]}: a request`,
            ...[null, null, roundTrip.p50Ms, roundTrip.p95Ms],
            ...nothing(5)
          ],
          [`${BARE[layers]}: a request to 5`, fanOut.p50Ms, fanOut.p95Ms, ...nothing(7)]
        ]
      }),
      ...rowsOf(found, 9, ({ oneByOne: { store, get, latest, miss } }) => [
        ...[store, get, latest, miss].flatMap((each) => [each?.p50Ms ?? null, each?.p95Ms ?? null]),
        totalOf([store, get, latest, miss], (each) => each?.failed ?? 0)
      ])
    ]
  }
}

function floorRatios(found: Summary): Table {
  return {
    title:
      'One by one, p50 as a multiple of bare requests: to 5 peers for store and latest, to one for get',
    columns: [
      { title: 'system' },
      ...LAYERS.flatMap((layers) =>
        times(...['store', 'get', 'latest'].map((each) => `${each} ÷ ${BARE[layers]}`))
      )
    ],
    rows: rowsOf(found, 6, ({ oneByOne: { store, get, latest } }) =>
      LAYERS.flatMap((layers) => {
        const { roundTrip, fanOut } = found.floors[layers]
        return [
          ratio(store?.p50Ms, fanOut.p50Ms),
          ratio(get?.p50Ms, roundTrip.p50Ms),
          ratio(latest?.p50Ms, fanOut.p50Ms)
        ]
      })
    )
  }
}

function ratios(found: Summary): Table {
  const waggle = figuresFor(found, 'waggle')?.oneByOne

  return {
    title: 'One by one, p50 as a multiple of that of Waggle',
    columns: [{ title: 'system' }, ...times('store', 'get', 'latest', 'miss')],
    rows: rowsOf(found, 4, ({ oneByOne: { store, get, latest, miss } }) => [
      ratio(store?.p50Ms, waggle?.store?.p50Ms),
      ratio(get?.p50Ms, waggle?.get?.p50Ms),
      ratio(latest?.p50Ms, waggle?.latest?.p50Ms),
      ratio(miss?.p50Ms, waggle?.miss?.p50Ms)
    ])
  }
}

function inFlight(found: Summary): Table {
  const { depth, burst } = found.plan

  return {
    title: `${burst} operations of each kind, ${depth} in flight`,
    columns: [
      { title: 'system' },
      { title: 'stores', unit: '1/s' },
      { title: 'store p95', unit: 'ms' },
      { title: 'failed stores', unit: '%' },
      { title: 'gets', unit: '1/s' },
      { title: 'get p95', unit: 'ms' },
      { title: 'failed gets', unit: '%' }
    ],
    rows: [
      ...LAYERS.flatMap((layers): Row[] => {
        const { roundTripInFlight, fanOutInFlight } = found.floors[layers]
        const figures = ({ rate, p95Ms }: Throughput) => [rate, p95Ms, 0]
        return [
          [`${BARE[layers]}, coalesced: a request`, ...nothing(3), ...figures(roundTripInFlight)],
          [`${BARE[layers]}, coalesced: a request to 5`, ...figures(fanOutInFlight), ...nothing(3)]
        ]
      }),
      ...rowsOf(found, 6, ({ inFlight: { store, get } }) =>
        [store, get].flatMap(({ rate, p95Ms, failed, count }) => [
          rate,
          p95Ms,
          (failed / count) * 100
        ])
      )
    ]
  }
}

function bulk({ plan, systems }: Summary): Table {
  const rows = systems.flatMap(({ contestant, figures }): Row[] => {
    if (figures === undefined || contestant.hasBulk) {
      return (figures?.bulk ?? []).map(({ operation, count, rate, failed, growthBytes }) => [
        contestant.title,
        operation,
        count,
        rate,
        failed,
        growthBytes / BYTES_PER_MB
      ])
    }

    return (['store', 'get'] as const).map((operation) => [
      contestant.title,
      `${operation}, ${plan.depth} in flight`,
      plan.burst,
      figures.inFlight[operation].rate,
      figures.inFlight[operation].failed,
      null
    ])
  })

  return {
    title: 'Many keys',
    columns: [
      { title: 'system' },
      { title: 'by' },
      { title: 'keys' },
      { title: 'rate', unit: 'keys/s' },
      { title: 'failed' },
      { title: 'the client grew by', unit: 'MB' }
    ],
    rows
  }
}

function costs(found: Summary): Table {
  return {
    title: `Memory of the ${found.plan.nodesOfProcesses.length} processes with servers, and CPU time for one operation`,
    columns: [
      { title: 'system' },
      { title: 'memory at first', unit: 'MB' },
      { title: 'after the load', unit: 'MB' },
      ...['store', 'get'].flatMap((each) => [
        { title: `${each}: client`, unit: 'ms' },
        { title: `${each}: servers`, unit: 'ms' }
      ])
    ],
    rows: rowsOf(found, 6, ({ startBytes, loadedBytes, oneByOne: { store, get } }) => [
      startBytes / BYTES_PER_MB,
      loadedBytes / BYTES_PER_MB,
      ...[store, get].flatMap((each) => [each?.clientCPUMs ?? null, each?.serversCPUMs ?? null])
    ])
  }
}

/** How nodes vanish. */
const HOW = {
  dropped: 'their host vanished: packets to it are lost',
  stopped: 'their process was stopped: it is silent, but its kernel acknowledges'
}

function failures(found: Summary): Table {
  const { how, p50Ms, p95Ms, failed } = found.vanished

  return {
    title: `${goneOf(found)} nodes gone: the next ${found.plan.afterFailure} gets`,
    columns: [
      { title: 'system' },
      { title: 'how' },
      { title: 'p50', unit: 'ms' },
      { title: 'p95', unit: 'ms' },
      { title: 'failed' }
    ],
    rows: [
      ...rowsOf(found, 4, ({ afterCrash: { p50Ms, p95Ms, failed } }) => [
        'their process was killed',
        p50Ms,
        p95Ms,
        failed
      ]),
      ['Waggle', HOW[how], p50Ms, p95Ms, failed]
    ]
  }
}

/** How many nodes of how many go. */
export function goneOf({ plan: { nodesOfProcesses } }: Summary): string {
  const all = total(nodesOfProcesses)
  return `${nodesOfProcesses.at(-1)} of ${all}`
}

/** One row for each system; one that has no figures says why. */
function rowsOf(
  { systems }: Summary,
  width: number,
  cells: (figures: Figures) => readonly Cell[]
): Row[] {
  return systems.map(({ contestant, figures }: SystemSummary) =>
    figures === undefined
      ? [`${contestant.title}: ${absence(contestant)}`, ...nothing(width)]
      : [contestant.title, ...cells(figures)]
  )
}

function times(...titles: readonly string[]): Column[] {
  return titles.map((title) => ({ title, unit: '×' }))
}

function ratio(value: number | undefined, of: number | undefined): number | null {
  return value === undefined || of === undefined ? null : value / of
}

function nothing(count: number): null[] {
  return Array.from({ length: count }, () => null)
}
