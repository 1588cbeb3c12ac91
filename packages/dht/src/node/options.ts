import type { ComponentLogger, Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import type { Limits, RecordValidator } from '@waggle/record'
import type { Libp2pOptions } from 'libp2p'
import type { NodeLimits } from '../node-limits.ts'
import type { WaggleInit } from '../service/service-options.ts'
import type { Address } from './addresses.ts'

/*
 * `node scripts/check-docs.ts --write` makes the README's table of these comments and of the defaults
 * in settings.ts.
 */

/** Options of `DHT.create`. */
export interface DHTOptions extends Omit<WaggleInit, 'limits'> {
  /**
   * Address or addresses to listen on: `'host:port'`, `'[::1]:port'`, `':port'` (all IPv4
   * interfaces), or a multiaddr. Each port serves TCP and WebSockets.
   *
   * @default `'127.0.0.1:0'`; for a client, nowhere
   */
  listenOn?: Address | readonly Address[] | undefined

  /**
   * Peers to join, in the same forms, as host names, or as `'wss://host'` or `'ws://host:port'`, with or without `/p2p/<id>`. One that answers is enough, at any of
   * its addresses; the others are tried in the background.
   *
   * @default []
   */
  initialPeers?: Address | readonly Address[] | undefined

  /** Addresses to announce instead of the ones listened on. */
  announce?: Address | readonly Address[] | undefined

  /**
   * Whether this node is a client, which only reads and writes: it serves no requests, appears in
   * no routing table and stores no records.
   *
   * @default `false`; in a browser, `true`
   */
  clientMode?: boolean | undefined

  /**
   * For a node that others cannot dial: it becomes a client that they reach through a peer with
   * `serveRelay`, and listens nowhere else unless told.
   *
   * @default false
   */
  relay?: boolean | undefined

  /**
   * Relays connections for nodes that others cannot dial. For nodes that can be dialled, such as
   * bootstrap nodes.
   *
   * @default false
   */
  serveRelay?: boolean | undefined

  /**
   * Private key of this node.
   *
   * @default a new identity
   */
  privateKey?: PrivateKey | undefined

  /**
   * File with the private key, instead of `privateKey`. Created with mode 0600 if missing.
   *
   * @default in `dataDir`, if there is one
   */
  identityPath?: string | undefined

  /**
   * kad-dht's protocol. Nodes with different protocols form different networks.
   *
   * @default DEFAULTS.protocol
   */
  protocol?: string | undefined

  /**
   * Key of a private network: the text of a `swarm.key` file, or its bytes. Only nodes with the
   * same key can connect.
   */
  swarmKey?: string | Uint8Array | undefined

  /**
   * Record limits, which must be the same in the whole network, and this node's resource limits.
   * Each keeps its default if left out.
   *
   * @default [of records](../../docs/records.md#limits), [of the node](../../docs/running.md#limits)
   */
  limits?: Partial<Limits & NodeLimits> | undefined

  /**
   * The application's rules for what may be stored, such as a `schemaValidator`. This node applies
   * them as a replica, as a reader and as a writer; a node given as `libp2p` does so until the DHT
   * stops.
   *
   * @default []
   * @see [validators](#validators)
   */
  validators?: readonly RecordValidator[] | undefined

  /**
   * Whether `create` rejects with `BootstrapError` when no initial peer answers. If `false`, the
   * node starts alone and keeps trying.
   *
   * @default true
   */
  requireBootstrap?: boolean | undefined

  /**
   * Whether `create` rejects with `ClockSkewError` when this machine's clock and those of the
   * initial peers differ by more than 3 seconds (`MAX_CLOCK_SKEW`). If `false`, a warning is logged
   * and the event `clock:skew` dispatched.
   *
   * @default false
   */
  strictClock?: boolean | undefined

  /**
   * Milliseconds to wait for an initial peer. Refusals are retried meanwhile.
   *
   * @default DEFAULTS.bootstrapTimeoutMs
   */
  bootstrapTimeoutMs?: number | undefined

  /**
   * A running node with the services `waggleKadDHT()` and `waggle()`, which the DHT only wraps:
   * `stop()` leaves it running and removes the validators that this DHT added.
   */
  libp2p?: Libp2p<ServiceMap> | undefined

  /** Aborts the creation. It has no effect on the DHT afterwards. */
  signal?: AbortSignal | undefined

  /** libp2p's logger, such as `prefixLogger(…)`. */
  logger?: ComponentLogger | undefined

  /** libp2p's metrics, such as `prometheusMetrics()`. */
  metrics?: Libp2pOptions['metrics'] | undefined

  /** Merged into the node's configuration, section by section. */
  libp2pOptions?: Partial<Libp2pOptions> | undefined
}
