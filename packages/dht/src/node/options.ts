import type { ComponentLogger, Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { DEFAULT_LIMITS, type Limits, type RecordValidator } from '@waggle/record'
import type { Datastore } from 'interface-datastore'
import type { Libp2pOptions } from 'libp2p'
import {
  DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  DEFAULT_KAD_PROTOCOL,
  DEFAULT_NUM_REPLICAS,
  DEFAULT_REQUEST_TIMEOUT_MS,
  SEARCH_WIDTH
} from '../constants.ts'
import { assertMessagesFit, type NodeLimits, nodeLimitsOf } from '../node-limits.ts'
import {
  assertBoolean,
  assertEach,
  assertFunction,
  assertInteger,
  assertLimits,
  assertMethod,
  assertObject,
  assertOptions,
  assertPositive,
  assertText,
  assertValidators,
  type Check,
  list
} from '../option-checks.ts'
import type { AllowPeer } from '../peers/access.ts'
import type { Durability } from '../persistence/disk.ts'
import type { PersistenceOptions } from '../persistence/persistence.ts'
import { PERSISTENCE_CHECKS, persistenceOptions } from '../persistence/persistence.ts'
import type { CacheOptions } from '../reading/cache-policy.ts'
import { assertCacheOptions } from '../reading/cache-policy.ts'
import { type Address, announcedAddress, listenAddress, peerAddress } from './addresses.ts'
import { swarmKeyBytes } from './swarm-key.ts'

/** How `DHT.create` is told what to make. */
export interface DHTOptions {
  /**
   * Where to listen. A client listens nowhere unless told.
   *
   * @default '127.0.0.1:0'
   */
  listenOn?: Address | readonly Address[] | undefined

  /**
   * Peers of the network to join, with or without `/p2p/<id>`. One that answers is enough; the
   * others are tried in the background.
   *
   * @default []
   */
  initialPeers?: Address | readonly Address[] | undefined

  /** Addresses to announce instead of the ones listened on. */
  announce?: Address | readonly Address[] | undefined

  /**
   * Only reads and writes: serves no request, is in nobody's routing table, holds no record.
   *
   * @default false
   */
  clientMode?: boolean | undefined

  /**
   * For a node to which others can't connect: be reachable through a peer that has `serveRelay`.
   * Such a node is a client, and listens nowhere else unless told.
   *
   * @default false
   */
  relay?: boolean | undefined

  /**
   * Be a relay for nodes that can't be connected to. For nodes that can, such as bootstrap nodes.
   *
   * @default false
   */
  serveRelay?: boolean | undefined

  /**
   * How many peers hold a record, from 1 to 20. The same in the whole network.
   *
   * @default DEFAULT_NUM_REPLICAS
   */
  numReplicas?: number | undefined

  /** Who this node is. Made anew when neither this nor `identityPath` is given. */
  privateKey?: PrivateKey | undefined

  /** File with the private key; made, with mode 0600, if it is missing. */
  identityPath?: string | undefined

  /**
   * Directory in which records, known peers and, unless `privateKey` or `identityPath` says
   * otherwise, the identity outlive the process. Made if it is missing; one node at a time uses it.
   */
  dataDir?: string | undefined

  /**
   * An interface-datastore for records and known peers, instead of a directory. The caller opens
   * and closes it, and lends it to one node only.
   */
  datastore?: Datastore | undefined

  /**
   * When a write to this node is acknowledged, where there is a `dataDir` or a `datastore`.
   *
   * @default DEFAULT_DURABILITY
   */
  durability?: Durability | undefined

  /**
   * kad-dht's protocol: peers of another one are another network.
   *
   * @default DEFAULT_KAD_PROTOCOL
   */
  protocol?: string | undefined

  /**
   * The key of a private network: the text of a `swarm.key` file, or its bytes. Only nodes with the
   * same key can connect to each other.
   */
  swarmKey?: string | Uint8Array | undefined

  /**
   * What records may be (R12), the same in the whole network; and what this node lets others take of
   * it. Those left out keep their defaults.
   *
   * @default DEFAULT_LIMITS, DEFAULT_NODE_LIMITS
   */
  limits?: Partial<Limits & NodeLimits> | undefined

  /**
   * Says who may connect to this node, and who may store something here.
   *
   * @default everybody
   */
  allowPeer?: AllowPeer | undefined

  /**
   * The application's own rules for what may be stored, such as a `schemaValidator`. This node
   * refuses what one of them does, as a replica, as a reader and as a writer. A node given as
   * `libp2p` does so until the DHT stops.
   *
   * @default []
   */
  validators?: readonly RecordValidator[] | undefined

  /**
   * How this node remembers what it has read; false: not at all.
   *
   * @default the defaults of CacheOptions
   */
  cache?: false | CacheOptions | undefined

  /**
   * Whether `create` rejects with `BootstrapError` when no initial peer answers. If false, the
   * node starts alone and keeps trying.
   *
   * @default true
   */
  requireBootstrap?: boolean | undefined

  /**
   * Whether `create` rejects with `ClockSkewError` when no initial peer answers whose clock is
   * within `MAX_CLOCK_SKEW`, 3 seconds, of this machine's. If false, a warning is logged, and the
   * event `clock:skew` dispatched.
   *
   * @default false
   */
  strictClock?: boolean | undefined

  /** @default DEFAULT_BOOTSTRAP_TIMEOUT_MS */
  bootstrapTimeoutMs?: number | undefined

  /**
   * Milliseconds that one peer may take to answer one request.
   *
   * @default DEFAULT_REQUEST_TIMEOUT_MS
   */
  requestTimeoutMs?: number | undefined

  /**
   * A running node that has the services `waggleKadDHT()` and `waggle()`. The DHT then only wraps
   * it, and stopping the DHT leaves it running.
   */
  libp2p?: Libp2p<ServiceMap> | undefined

  /** Ends the attempt to create. It has no effect on the DHT afterwards. */
  signal?: AbortSignal | undefined

  /** libp2p's logger, such as `prefixLogger(…)`. */
  logger?: ComponentLogger | undefined

  /** libp2p's metrics, such as `prometheusMetrics()`. */
  metrics?: Libp2pOptions['metrics'] | undefined

  /** Merged into the node's configuration, section by section. */
  libp2pOptions?: Partial<Libp2pOptions> | undefined
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly listenOn: readonly Multiaddr[]
  readonly initialPeers: readonly Multiaddr[]
  readonly announce: readonly Multiaddr[]
  readonly clientMode: boolean
  readonly relay: boolean
  readonly serveRelay: boolean
  readonly numReplicas: number
  readonly privateKey: PrivateKey | undefined
  readonly identityPath: string | undefined
  readonly persistence: PersistenceOptions
  readonly protocol: string
  readonly swarmKey: Uint8Array | undefined
  readonly limits: Limits
  readonly nodeLimits: NodeLimits
  readonly allowPeer: AllowPeer | undefined
  readonly validators: readonly RecordValidator[]
  readonly cache: false | CacheOptions
  readonly requireBootstrap: boolean
  readonly strictClock: boolean
  readonly bootstrapTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly libp2p: Libp2p<ServiceMap> | undefined
  readonly signal: AbortSignal | undefined
  readonly logger: ComponentLogger | undefined
  readonly metrics: Libp2pOptions['metrics'] | undefined
  readonly libp2pOptions: Partial<Libp2pOptions>
}

const DEFAULT_LISTEN_ON = '127.0.0.1:0'

const CHECKS: Readonly<Record<keyof DHTOptions, Check>> = {
  listenOn: assertEach(listenAddress),
  initialPeers: assertEach(peerAddress),
  announce: assertEach(announcedAddress),
  clientMode: assertBoolean,
  relay: assertBoolean,
  serveRelay: assertBoolean,
  numReplicas: assertInteger(1, SEARCH_WIDTH),
  privateKey: assertMethod(
    'sign',
    "a libp2p private key, such as await generateKeyPair('Ed25519')"
  ),
  identityPath: assertText,
  ...PERSISTENCE_CHECKS,
  protocol: assertText,
  swarmKey: swarmKeyBytes,
  limits: assertLimits,
  allowPeer: assertFunction,
  validators: assertValidators,
  cache: assertCacheOptions,
  requireBootstrap: assertBoolean,
  strictClock: assertBoolean,
  bootstrapTimeoutMs: assertPositive,
  requestTimeoutMs: assertPositive,
  libp2p: assertMethod('dial', 'a libp2p node'),
  signal: assertMethod('throwIfAborted', 'an AbortSignal'),
  logger: assertMethod('forComponent', 'a libp2p logger'),
  metrics: assertFunction,
  libp2pOptions: assertObject
}

/** What still means something for a node that exists already. */
const FOR_EXISTING_NODE: readonly string[] = [
  'libp2p',
  'initialPeers',
  'validators',
  'requireBootstrap',
  'strictClock',
  'bootstrapTimeoutMs',
  'signal'
]

/**
 * Checks what the caller passed, and fills in the defaults.
 *
 * @throws TypeError naming the option that is unknown or wrong
 */
export function settingsOf(options: DHTOptions): Settings {
  assertOptions('DHT.create', options, CHECKS)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)

  if (options.libp2p !== undefined) {
    assertCombines(given.map(([option]) => option))
  }

  assertRoles(options)
  const { relay = false, clientMode = relay, serveRelay = false, swarmKey } = options
  const { listenOn = clientMode ? [] : DEFAULT_LISTEN_ON } = options

  return {
    ...DEFAULTS,
    ...Object.fromEntries(given),
    ...keyAndPath(options),
    persistence: persistenceOptions(options),
    listenOn: list(listenOn).map((address) => listenAddress(address, 'listenOn')),
    initialPeers: list(options.initialPeers).map((address) => peerAddress(address, 'initialPeers')),
    announce: list(options.announce).map((address) => announcedAddress(address, 'announce')),
    clientMode,
    relay,
    serveRelay,
    swarmKey: swarmKey === undefined ? undefined : swarmKeyBytes(swarmKey, 'swarmKey'),
    ...limitsOf(options.limits)
  }
}

/** What is taken as it is given. */
const DEFAULTS = {
  numReplicas: DEFAULT_NUM_REPLICAS,
  protocol: DEFAULT_KAD_PROTOCOL,
  validators: [],
  cache: {},
  requireBootstrap: true,
  strictClock: false,
  bootstrapTimeoutMs: DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  requestTimeoutMs: DEFAULT_REQUEST_TIMEOUT_MS,
  libp2p: undefined,
  allowPeer: undefined,
  signal: undefined,
  logger: undefined,
  metrics: undefined,
  libp2pOptions: {}
}

/** @throws TypeError when records are allowed that fit no message */
function limitsOf(given: DHTOptions['limits'] = {}): Pick<Settings, 'limits' | 'nodeLimits'> {
  const nodeLimits = nodeLimitsOf(given)
  const names = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]
  const limits = Object.fromEntries(
    names.map((name) => [name, given[name] ?? DEFAULT_LIMITS[name]])
  ) as { [K in keyof Limits]: number }
  assertMessagesFit(nodeLimits, limits)
  return { limits, nodeLimits }
}

function assertCombines(given: readonly string[]): void {
  const other = given.find((option) => !FOR_EXISTING_NODE.includes(option))

  if (other !== undefined) {
    throw new TypeError(
      `${other} can't be combined with libp2p: configure the node itself, or its services waggle() and waggleKadDHT()`
    )
  }
}

/** What others can't connect to must not hold records for them, nor relay anything. */
function assertRoles({ clientMode, relay, serveRelay }: DHTOptions): void {
  if (relay === true && clientMode === false) {
    throw new TypeError(
      "relay is for nodes that others can't connect to, which are clients: leave out clientMode: false, or relay if others can connect"
    )
  }

  if (serveRelay === true && (relay === true || clientMode === true)) {
    throw new TypeError(
      "serveRelay is for nodes that others can connect to: it can't be combined with relay or clientMode"
    )
  }
}

function keyAndPath({
  privateKey,
  identityPath
}: DHTOptions): Pick<Settings, 'privateKey' | 'identityPath'> {
  if (privateKey !== undefined && identityPath !== undefined) {
    throw new TypeError('give either privateKey or identityPath, not both')
  }

  return { privateKey, identityPath }
}
