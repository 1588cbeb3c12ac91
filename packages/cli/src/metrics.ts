import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { prometheusMetrics } from '@libp2p/prometheus-metrics'
import type { DHTOptions } from '@waggle/dht'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { CountedByMetrics } from './control/overview.ts'
import { CommandError, toError } from './errors.ts'

/** Milliseconds for which a computed metrics page is reused. */
const MAX_AGE_MS = 1000

/** Connections for metrics at once, and milliseconds that one may stay open or idle. */
const MAX_CONNECTIONS = 16
const CONNECTION_TIMEOUT_MS = 10_000

/** Limits of one connection. */
const LIMITS = {
  headersTimeout: 5000,
  requestTimeout: CONNECTION_TIMEOUT_MS,
  keepAliveTimeout: 5000,
  maxHeaderSize: 8192,
  connectionsCheckingInterval: 1000
}

/** Gathers a node's metrics, and serves them to Prometheus. */
export interface NodeMetrics {
  /** The option `metrics` of `DHT.create`. */
  readonly factory: DHTOptions['metrics']

  /** Sums up the metrics that the overview shows. */
  counted(): Promise<CountedByMetrics>

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
    const metric = await registry.getSingleMetric(name)?.get()
    return metric?.values.find(({ labels }) => labels[label] === value)?.value
  }
  const traffic = 'libp2p_data_transfer_bytes_total'
  const [stored, expired, sentBytes, receivedBytes] = await Promise.all([
    amountOf('waggle_records_total', 'event', 'stored'),
    amountOf('waggle_records_total', 'event', 'expired'),
    amountOf(traffic, 'protocol', 'global sent'),
    amountOf(traffic, 'protocol', 'global received')
  ])
  return JSON.parse(JSON.stringify({ stored, expired, sentBytes, receivedBytes }))
}

/** Caches a result for a time. */
function cachedFor<T>(maxAgeMs: number, workOut: () => Promise<T>): () => Promise<T> {
  let cached: Promise<T> | undefined
  let atMs = Number.NEGATIVE_INFINITY

  return () => {
    const nowMs = performance.now()

    if (cached === undefined || nowMs - atMs > maxAgeMs) {
      atMs = nowMs
      cached = workOut()
      cached.catch(() => {
        cached = undefined
      })
    }

    return cached
  }
}

/** Limits the open sockets by closing the oldest, so that idle connections do not lock out others. */
function limited(maxSockets: number): (socket: Socket) => void {
  const sockets = new Set<Socket>()

  return (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const [oldest] = sockets

    if (sockets.size > maxSockets && oldest !== undefined) {
      sockets.delete(oldest)
      oldest.destroy()
    }
  }
}

async function serve(
  registry: Registry,
  port: number,
  host: string
): Promise<AsyncDisposable & { readonly url: string }> {
  const page = cachedFor(MAX_AGE_MS, async () => Buffer.from(await registry.metrics()))
  const server = createServer(LIMITS, async ({ url }, response) => {
    if (url?.split('?')[0] !== '/metrics') {
      response.statusCode = 404
      response.end('The metrics are at /metrics\n')
      return
    }

    response.setHeader('content-type', registry.contentType)
    response.end(await page())
  })
  server.on('connection', limited(MAX_CONNECTIONS))
  server.setTimeout(CONNECTION_TIMEOUT_MS)
  server.listen(port, host)

  await once(server, 'listening').catch((error) => {
    throw new CommandError(
      `--metrics-port: can't listen on ${host}:${port}: ${toError(error).message}. Choose another port, or 0 for any free one`
    )
  })
  const { port: actual } = server.address() as AddressInfo

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}/metrics`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
