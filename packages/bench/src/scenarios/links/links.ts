import { all, atLeast, atMost, goal, same, tableOf } from '../../result/build.ts'
import { figure } from '../../result/figure.ts'
import type { Goal, RunOptions, Scenario, ScenarioResult } from '../../result/result.ts'
import { totalOf } from '../../workload/statistics.ts'
import {
  LARGE_SUBKEYS,
  LARGE_VALUE_BYTES,
  measure,
  type Row,
  SERVERS,
  SMALL_EVERY_MS,
  VALUE_BYTES
} from './measure.ts'

/** Takes some minutes, as slow links do. */
export const links: Scenario = {
  name: 'links',
  title: 'Bulk, large records and small calls of a client behind a slow link.',
  isLong: true,
  run
}

/** Links, and seconds of each transfer: longer than a request may take without progress. */
const PLANS = {
  full: { mbits: [1.5, 8, 40], delays: [5, 50, 200], seconds: 10, requestTimeoutMs: 3000 },
  quick: { mbits: [8], delays: [5], seconds: 2, requestTimeoutMs: 1000 }
}

/** Minimum share of the link, and maximum factor by which a small call may take longer beside bulk. */
const MIN_SHARE = 0.8
const MAX_RATIO = 3

async function run({ effort, signal, log }: RunOptions): Promise<ScenarioResult> {
  const plan = PLANS[effort]
  const { mbits, delays } = plan
  const rows: Row[] = []

  for (const mbitPerSecond of mbits) {
    for (const delayMs of delays) {
      const measured = await measure({ mbitPerSecond, delayMs }, plan, signal)
      rows.push(...measured)
      log(measured.map(({ link, transfer, share }) => `${link} ${transfer} ${share}`).join(', '))
    }
  }

  const table = tableOf('Transfers', rows, {
    ...same('link', 'transfer'),
    ...{ 'right answers': 'right', of: 'count', 'share of the link': 'share' },
    ...{ 'small call alone, p95 (ms)': 'aloneMs', 'next to it, p95 (ms)': 'nextToMs' }
  })
  const errors = rows.flatMap(({ link, transfer, error }) =>
    error === undefined ? [] : [`${link}, ${transfer}: ${error}`]
  )
  return { notes: [...notes(plan), ...errors], tables: [table], goals: goals(rows) }
}

function goals(rows: readonly Row[]): Goal[] {
  const least = Math.min(...rows.map(({ share }) => share))
  const most = Math.max(...rows.map(({ aloneMs, nextToMs }) => nextToMs / aloneMs))
  return [
    all(
      'every answer is right',
      totalOf(rows, ({ right, failedSmall }) => right - failedSmall),
      totalOf(rows, ({ count }) => count)
    ),
    goal(`every transfer takes at least ${MIN_SHARE} of its link`, least, atLeast(MIN_SHARE)),
    goal(
      `small calls take at most ${MAX_RATIO} times as long next to bulk, at p95`,
      most,
      atMost(MAX_RATIO),
      (value) => `${figure(value)} times`
    )
  ]
}

function notes({ seconds }: { seconds: number }): string[] {
  return [
    `A client reaches ${SERVERS} servers over one link, a proxy with a byte budget for each direction and a delay each way. Each transfer is what the link takes in about ${seconds} s: values of ${VALUE_BYTES} bytes, read or stored in one call, and records of ${LARGE_SUBKEYS} × ${LARGE_VALUE_BYTES} bytes, read at once. Stored values go to all servers.`,
    `All the while, small values are read one by one, every ${SMALL_EVERY_MS} ms; so they are before, with nothing else on the link. The share of the link counts the values' own bytes.`
  ]
}
