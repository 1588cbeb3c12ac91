import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import type { DHTOptions } from '@waggle/dht'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { cachedFor } from './cached-for.ts'
import { type CallFigures, callFigures, type MetricValue } from './control/call-figures.ts'
import type { CountedByMetrics } from './control/overview.ts'
import { listenerOf } from './http/answers.ts'
import { startBoundedServer } from './http/bounded-server.ts'
import { assertOwnSite, isLoopback } from './http/browser-guard.ts'

/** Milliseconds for which a computed metrics page is reused. */
const MAX_AGE_MS = 1000

/** Connections for metrics at once. */
const MAX_CONNECTIONS = 16

/** Gathers a node's metrics, and serves them to Prometheus. */
export interface NodeMetrics {
  /** The option `metrics` of `DHT.create`. */
  readonly factory: DHTOptions['metrics']

  /** Sums up the metrics that the overview shows. */
  counted(): Promise<CountedByMetrics>

  /** Sums up the node's own calls. */
  calls(): Promise<CallFigures[]>

  /** Serves the metrics over HTTP until it is disposed of. */
  serve(port: number, host: string): Promise<AsyncDisposable & { readonly url: string }>
}

/** Gathers the metrics of libp2p, Waggle and Node. */
export function nodeMetrics(): NodeMetrics {
  const registry = new Registry()

  return {
    factory(components) {
      // A node that could not listen is created again, on another port.
      registry.clear()
      collectDefaultMetrics({ register: registry })
      return prometheusMetrics({ registry, collectDefaultMetrics: false })(components)
    },
    counted: () => counted(registry),
    calls: async () => callFigures(await valuesOf(registry, 'waggle_call_seconds')),
    serve: (port, host) => serve(registry, port, host)
  }
}

/** Reads metrics by the names and labels in docs/running.md. */
async function counted(registry: Registry): Promise<CountedByMetrics> {
  const amountOf = async (
    name: string,
    label: string,
    value: string
  ): Promise<number | undefined> => {
    const values = await valuesOf(registry, name)
    return values.find(({ labels }) => labels[label] === value)?.value
  }
  const traffic = 'libp2p_data_transfer_bytes_total'
  const [stored, expired, replicasFull, sentBytes, receivedBytes] = await Promise.all([
    amountOf('waggle_records_total', 'event', 'stored'),
    amountOf('waggle_records_total', 'event', 'expired'),
    amountOf('waggle_replicas_total', 'outcome', 'full'),
    amountOf(traffic, 'protocol', 'global sent'),
    amountOf(traffic, 'protocol', 'global received')
  ])
  return JSON.parse(JSON.stringify({ stored, expired, replicasFull, sentBytes, receivedBytes }))
}

async function valuesOf(registry: Registry, name: string): Promise<readonly MetricValue[]> {
  const metric = await registry.getSingleMetric(name)?.get()
  return metric?.values ?? []
}

async function serve(
  registry: Registry,
  port: number,
  host: string
): Promise<AsyncDisposable & { readonly url: string }> {
  const page = cachedFor(MAX_AGE_MS, async () => Buffer.from(await registry.metrics()))
  const server = await startBoundedServer(
    { host, port, option: '--metrics-port', maxConnections: MAX_CONNECTIONS },
    listenerOf(async (message, response) => {
      const { url } = message

      // Beyond this machine, they are served under names that nobody here knows.
      if (isLoopback(host)) {
        assertOwnSite(message, host)
      }

      if (url?.split('?')[0] !== '/metrics') {
        response.statusCode = 404
        response.end('The metrics are at /metrics\n')
        return
      }

      const text = await page()
      response.setHeader('content-type', registry.contentType)
      response.end(text)
    })
  )
  return {
    url: `${server.url}/metrics`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]()
  }
}
