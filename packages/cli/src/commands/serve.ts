import type { DHT, DHTOptions } from '@waggle/dht'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { controlPath, prepareControlFolder } from '../control/control-path.ts'
import {
  addDashboardOptions,
  type DashboardOptions,
  dashboardInit
} from '../dashboard/dashboard-options.ts'
import { DONE } from '../errors.ts'
import {
  DEFAULT_DASHBOARD_PORT,
  DEFAULT_HTTP_PORT,
  givenPort,
  givenToken,
  HTTP_TOKEN_VARIABLE,
  newToken
} from '../http/options.ts'
import type { CommandIO } from '../io.ts'
import { initialPeersFor } from '../network/client.ts'
import { localPort, localPorts } from '../network/local-ports.ts'
import {
  addNetworkOptions,
  addresses,
  identityOptions,
  type NetworkOptions,
  namedPeers
} from '../network/network-options.ts'
import { parsePort } from '../text/count.ts'
import { parseDuration } from '../text/time.ts'
import { act, define, type Program } from './define.ts'
import { followNode, ticks } from './serve-status.ts'

export type ServeOptions = NetworkOptions &
  DashboardOptions & {
    readonly listenOn?: readonly string[]
    readonly announce?: readonly string[]
    readonly client?: boolean
    readonly relay?: boolean
    readonly serveRelay?: boolean
    readonly serveGateway?: boolean
    readonly dataDir?: string
    readonly durability?: string
    readonly strictClock?: boolean
    readonly requireBootstrap?: boolean
    readonly metricsPort?: string
    readonly metricsHost: string
    readonly http?: string | true
    readonly httpHost: string
    readonly dashboard?: string | true
    readonly refreshPeriod: string
    readonly control?: string
  }

export function addServe(program: Program): void {
  const command = define(program, {
    usage: 'serve',
    summary: 'Run a node that stores records and that others can join through',
    more: [
      'Prints its addresses, which other nodes pass as --initial-peers, and at intervals how many peers it knows and records it holds. Ctrl-C or SIGTERM stops it cleanly.',
      'Without --listen-on and --initial-peers, it joins the other nodes of this machine.'
    ],
    examples: [
      ['waggle serve', 'a node for tests on this machine'],
      [
        'waggle serve --listen-on :1337 --data-dir /var/lib/waggle',
        'a bootstrap node that keeps its peer ID across restarts'
      ],
      ['waggle serve --listen-on :0 -p 10.0.0.1:1337', 'one more node of a network'],
      [
        'waggle serve --listen-on :1337 --announce /dns4/waggle.example/tcp/1337',
        'behind a router that forwards the port'
      ],
      ['waggle serve --http', 'a node that programs in other languages use over HTTP'],
      ['waggle serve --dashboard', 'a node with a page in the browser that shows it']
    ]
  })
  command
    .option(
      '-l, --listen-on <addresses>',
      'addresses to listen on: host:port, :port for all IPv4 interfaces, or a multiaddr',
      addresses
    )
    .option(
      '-a, --announce <addresses>',
      'addresses to announce instead of those it listens on',
      addresses
    )
    .option(
      '-d, --data-dir <directory>',
      'directory that keeps records, known peers and the identity across restarts'
    )
    .option('--durability <when>', 'when a write is acknowledged: relaxed, written or synced')
    .option('--client', 'run as a client: read and write, and hold no records for others')
    .option('--relay', 'be reachable through a relay, for machines that accept no connections')
    .option('--serve-relay', 'be a relay for such machines')
    .option('--no-serve-gateway', 'serve no clients that can dial only a part of the servers')
    .option('--strict-clock', 'refuse to join when the clock of this machine is wrong')
    .option('--require-bootstrap', 'fail when no initial peer responds, instead of retrying')
    .option('--refresh-period <time>', 'how often to print the status', '30s')
    .option(
      '--control <socket>',
      'socket for waggle stats, top and export (default: one in the temporary directory)'
    )
  addNetworkOptions(addEndpointOptions(command))
  act(program, command, serve)
}

/** Adds the options of the HTTP services. */
function addEndpointOptions(command: Command): Command {
  command
    .option('--metrics-port <port>', 'serve metrics for Prometheus under /metrics')
    .option('--metrics-host <host>', 'address to serve metrics on', '127.0.0.1')
    .option(
      '--http [port]',
      `serve values over HTTP, to programs with the token in $${HTTP_TOKEN_VARIABLE} or the one that is printed (default port: ${DEFAULT_HTTP_PORT})`
    )
    .option('--http-host <host>', 'address to serve values on', '127.0.0.1')
    .option(
      '--dashboard [port]',
      `serve a page that shows this node, to browsers with the token (default port: ${DEFAULT_DASHBOARD_PORT})`
    )
  return addDashboardOptions(command)
}

async function serve(context: Context, options: ServeOptions): Promise<number> {
  const { io } = context
  const refreshSeconds = parseDuration(options.refreshPeriod, '--refresh-period')
  const port =
    options.metricsPort === undefined ? undefined : parsePort(options.metricsPort, '--metrics-port')
  const httpPort = givenPort(options.http, '--http', DEFAULT_HTTP_PORT)
  const pagePort = givenPort(options.dashboard, '--dashboard', DEFAULT_DASHBOARD_PORT)
  const given = givenToken(io)
  const [token, pageToken] = [given ?? newToken(), given ?? newToken()]
  const settings = await dhtOptions(options, context)
  const { nodeMetrics } = await import('../metrics.ts')
  const { serveApi } = await import('../http/api.ts')
  const { serveDashboard } = await import('../dashboard/dashboard-server.ts')
  const { factory, counted, calls, serve } = nodeMetrics()
  const socket = await socketOf(options)

  await using dht = await started({ ...settings, metrics: factory }, options, io)
  const { startControl } = await import('../control/control-server.ts')
  await using _control = await startControl(socket, {
    ...{ dht, counted, calls },
    localPort: localPort(options, io)
  })
  await using endpoint = port === undefined ? undefined : await serve(port, options.metricsHost)
  await using api =
    httpPort === undefined
      ? undefined
      : await serveApi({ dht, host: options.httpHost, port: httpPort, token })
  await using page =
    pagePort === undefined
      ? undefined
      : await serveDashboard({
          ...{ socket, port: pagePort, token: pageToken, option: '--dashboard' },
          ...dashboardInit(options)
        })
  const status = followNode(dht, context)
  status.started({
    metricsUrl: endpoint?.url,
    http: api && { url: api.url, newToken: given === undefined ? token : null },
    dashboard: page && { url: page.url, newToken: given === undefined ? pageToken : null }
  })
  status.alone(dht.bootstrapError)
  await ticks(refreshSeconds, io.signal, () => status.tell())
  status.stopping(io.signal)
  return DONE
}

async function started(settings: DHTOptions, options: ServeOptions, io: CommandIO): Promise<DHT> {
  const { startLocally } = await import('../network/server.ts')
  const { DHT } = await import('@waggle/dht')
  return options.listenOn === undefined && settings.initialPeers === undefined
    ? startLocally(localPorts(options, io), settings)
    : DHT.create({ ...settings, listenOn: options.listenOn })
}

async function dhtOptions(options: ServeOptions, { io }: Context): Promise<DHTOptions> {
  const isClient = options.client === true || options.relay === true
  // No peer dials a client, so a client needs initial peers.
  const named = isClient ? await initialPeersFor(options, io) : namedPeers(options, io)
  return {
    ...(await identityOptions(options)),
    initialPeers: named.length === 0 ? undefined : named,
    announce: options.announce,
    clientMode: options.client,
    relay: options.relay,
    serveRelay: options.serveRelay,
    serveGateway: options.serveGateway,
    dataDir: options.dataDir,
    durability: options.durability as DHTOptions['durability'],
    strictClock: options.strictClock,
    requireBootstrap: options.requireBootstrap === true,
    signal: io.signal
  }
}

async function socketOf({ control }: ServeOptions): Promise<string> {
  if (control !== undefined) {
    return control
  }

  await prepareControlFolder()
  return controlPath(process.pid)
}
