import type { BootstrapError, ClockSkew, DHT } from '@waggle/dht'
import { MAX_CLOCK_SKEW } from '@waggle/record/replica'
import type { Context } from '../context.ts'
import { reasonsIn } from '../failure.ts'
import { HTTP_TOKEN_VARIABLE } from '../http/options.ts'
import { Stop } from '../io.ts'
import { counted, shownBytes } from '../text/count.ts'
import { withFlags } from '../text/flags.ts'
import type { Json } from '../text/json.ts'

/** URLs of the node's HTTP services. */
export interface Endpoints {
  readonly metricsUrl: string | undefined
  readonly http: HttpEndpoint | undefined
  readonly dashboard: HttpEndpoint | undefined
}

export interface HttpEndpoint {
  readonly url: string

  /** The generated token; null if the environment has one, which must not be logged. */
  readonly newToken: string | null
}

/** The messages of `serve` while it runs. */
export interface Status {
  /** Reports that the node runs, with the URLs of its HTTP services. */
  started(endpoints: Endpoints): void

  /** Reports that no initial peer responds yet, if there is such an error. */
  alone(error: BootstrapError | undefined): void
  tell(): void
  stopping(signal: AbortSignal): void
}

/** Reports the state of a node, as lines for people or as events for programs. */
export function followNode(dht: DHT, context: Context): Status {
  const { paint } = context
  const event = (name: string, more: { readonly [name: string]: Json }, text: string): void =>
    context.answer({ json: { event: name, ...more }, text })

  dht.addEventListener('clock:skew', ({ detail }) => {
    const { peerId, skewMs, medianSkewMs } = detail
    const told = { peerId: peerId.toString(), skewMs, medianSkewMs }
    event('clock-skew', told, paint('bad', skewText(detail)))
  })

  const tell = (): void => event('status', JSON.parse(JSON.stringify(dht.stats())), statusOf(dht))
  // The first peer is reported at once.
  dht.addEventListener('peer:connect', tell, { once: true })

  return {
    tell,
    started(endpoints) {
      const { metricsUrl = null } = endpoints
      const peerId = dht.peerId.toString()
      const told = {
        ...{ peerId, metricsUrl, addresses: dht.multiaddrs.map(String) },
        http: endpointJson(endpoints.http),
        dashboard: endpointJson(endpoints.dashboard)
      }
      event('started', told, [...welcome(dht, context), ...shownEndpoints(endpoints)].join('\n'))
    },
    alone(error) {
      if (error !== undefined) {
        const attempts = error.attempts.map(({ address, error, check }) => ({
          address,
          error: withFlags(error.message),
          check: withFlags(check)
        }))
        const text = `${reasonsIn(error.message)}\nThe node keeps trying.`
        event('alone', { attempts }, paint('bad', text))
      }
    },
    stopping({ reason }) {
      const name = reason instanceof Stop ? reason.signal : 'the end of the process'
      event('stopping', { signal: name }, `Caught ${name}, shutting down`)
    }
  }
}

/** Says whose clock is wrong: the peer's, if most peers agree with this machine. */
export function skewText({
  peerId,
  skewMs,
  medianSkewMs
}: Pick<ClockSkew, 'skewMs' | 'medianSkewMs'> & { readonly peerId: object | string }): string {
  return Math.abs(medianSkewMs) > MAX_CLOCK_SKEW * 1000
    ? `the clock of this machine is ${shownSkew(-medianSkewMs)} the peers' clocks: correct it`
    : `the clock of the peer ${peerId} is ${shownSkew(skewMs)} this machine's: correct it there`
}

function shownSkew(skewMs: number): string {
  return `${Math.abs(Math.round(skewMs))} ms ${skewMs > 0 ? 'ahead of' : 'behind'}`
}

function welcome(dht: DHT, { paint }: Context): string[] {
  const all = dht.multiaddrs.map(String)

  if (dht.clientMode) {
    return [
      `Running a Waggle client, ${paint('name', dht.peerId.toString())}: other peers can't join through it.`
    ]
  }

  const isOpen = all.some((address) => !/^\/ip[46]\/(127\.|::1\/)/.test(address))
  const hint = isOpen
    ? []
    : ['The node listens on this machine only. To accept other machines, use --listen-on :1337']
  return [
    'Running a Waggle node. To connect other peers to this one, use',
    paint('strong', `  --initial-peers ${preferred(all)}`),
    `Full list of visible multiaddresses: ${all.join(' ')}`,
    ...hint
  ]
}

function endpointJson(endpoint: HttpEndpoint | undefined): Json {
  return endpoint === undefined ? null : { url: endpoint.url, newToken: endpoint.newToken }
}

/** Formats the address of a dashboard, with the token in the part that only the browser sees. */
export function dashboardAddress({ url, newToken }: HttpEndpoint): string {
  return `${url}/#${newToken ?? `$${HTTP_TOKEN_VARIABLE}`}`
}

function shownEndpoints({ metricsUrl, http, dashboard }: Endpoints): string[] {
  return [
    ...(metricsUrl === undefined ? [] : [`Metrics for Prometheus: ${metricsUrl}`]),
    ...(http === undefined
      ? []
      : [
          `Values over HTTP: ${http.url}/v1/keys/KEY, with authorization: Bearer ${http.newToken ?? `$${HTTP_TOKEN_VARIABLE}`}`
        ]),
    ...(dashboard === undefined ? [] : [`Dashboard: ${dashboardAddress(dashboard)}`])
  ]
}

/** Prefers an address that other machines can reach. */
function preferred(addresses: readonly string[]): string {
  return (
    addresses.find((address) => !/^\/ip[46]\/(127\.|::1\/)/.test(address)) ?? addresses[0] ?? ''
  )
}

function statusOf(dht: DHT): string {
  const { knownPeers, peers, records, bytes, persistence } = dht.stats()
  const nodes = knownPeers + (dht.clientMode ? 0 : 1)
  const disk =
    persistence?.state === 'failing' ? `; writing to disk fails: ${persistence.error}` : ''
  return [
    `${counted(nodes, 'Waggle node')} (including this one) ${nodes === 1 ? 'is' : 'are'} in the local routing table, ${counted(peers, 'peer')} connected`,
    `Local storage contains ${counted(records, 'key')}, ${shownBytes(bytes)}${disk}`
  ].join('\n')
}

/** Runs `tick` at once and then at intervals, until the signal is aborted. */
export async function ticks(seconds: number, signal: AbortSignal, tick: () => void): Promise<void> {
  tick()
  const ticking = setInterval(tick, seconds * 1000)

  await untilStopped(signal)
  clearInterval(ticking)
}

/** Waits until the signal is aborted. */
export async function untilStopped(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) {
      resolve()
    }

    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
