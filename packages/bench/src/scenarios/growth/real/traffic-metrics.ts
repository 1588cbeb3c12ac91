import type { Metrics, Stream } from '@libp2p/interface'
import type { Traffic } from './traffic.ts'

/** What libp2p registers its figures with: none of them is kept. */
const SILENT = {
  update(): void {},
  increment(): void {},
  decrement(): void {},
  observe(): void {},
  reset(): void {},
  timer: () => () => {}
}

/** The way that libp2p offers to see a node's streams. */
export function trafficMetrics(traffic: Traffic): () => Metrics {
  return () => ({
    trackMultiaddrConnection() {},
    trackProtocolStream: (stream: Stream) => traffic.follow(stream),
    registerMetric: () => SILENT,
    registerMetricGroup: () => SILENT,
    registerCounter: () => SILENT,
    registerCounterGroup: () => SILENT,
    registerHistogram: () => SILENT,
    registerHistogramGroup: () => SILENT,
    registerSummary: () => SILENT,
    registerSummaryGroup: () => SILENT,
    traceFunction: <F>(_name: string, traced: F) => traced,
    createTrace: () => undefined
  })
}
