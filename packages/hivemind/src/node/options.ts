import type { ComponentLogger, Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Address } from '@waggle/dht'
import type { Libp2pOptions } from 'libp2p'
import { DEFAULT_BOOTSTRAP_TIMEOUT_MS } from '../constants.ts'
import type { HivemindInit } from '../service/interface.ts'
import { INIT_OPTIONS } from '../service/service-options.ts'
import {
  announcedAddress,
  asList,
  assertBoolean,
  assertEach,
  assertFunction,
  assertMethod,
  assertObject,
  assertOptions,
  assertPositive,
  assertText,
  listenAddress,
  type OptionTable,
  peerAddress
} from '../waggle-parts.ts'

/** Options of `HivemindDHT.create`. */
export interface HivemindDHTOptions extends HivemindInit {
  /**
   * Initial peers of the network, in Python or JavaScript. One that answers is enough; the others are tried in the
   * background.
   *
   * @default []
   */
  initialPeers?: Address | readonly Address[] | undefined

  /**
   * Addresses to listen on: Hivemind's host_maddrs. A client listens only on addresses given here.
   *
   * @default '127.0.0.1:0'
   */
  listenOn?: Address | readonly Address[] | undefined

  /** Addresses to announce instead of the ones listened on. */
  announce?: Address | readonly Address[] | undefined

  /**
   * Makes a node that accepts no direct connections reachable through relays: Hivemind's use_auto_relay.
   *
   * @default false
   */
  relay?: boolean | undefined

  /** The node's private key, Ed25519 or RSA. Generated if neither this nor `identityPath` is given. */
  privateKey?: PrivateKey | undefined

  /** File with the private key in Hivemind's format; created if it is missing. */
  identityPath?: string | undefined

  /**
   * Whether `create` rejects when an initial peer's clock is off by more than 3 seconds, or when no initial peer
   * can connect to this node and it is not a client.
   *
   * @default true
   */
  strict?: boolean | undefined

  /**
   * Whether `create` rejects with `BootstrapError` when no initial peer answers: Hivemind's
   * ensure_bootstrap_success. If false, the node starts alone and keeps trying.
   *
   * @default true
   */
  requireBootstrap?: boolean | undefined

  /** @default DEFAULTS.bootstrapTimeoutMs */
  bootstrapTimeoutMs?: number | undefined

  /**
   * A running node that has the services `hivemindKadDHT()` and `hivemind()`. The DHT then only
   * wraps it, and stopping the DHT leaves it running.
   */
  libp2p?: Libp2p<ServiceMap> | undefined

  /** Aborts creation. */
  signal?: AbortSignal | undefined

  /** libp2p's logger. */
  logger?: ComponentLogger | undefined

  /** libp2p's metrics. */
  metrics?: Libp2pOptions['metrics'] | undefined

  /** Merged into the node's configuration, section by section. */
  libp2pOptions?: Partial<Libp2pOptions> | undefined
}

/** The options of the node with their defaults, checked. */
export interface NodeSettings {
  readonly init: HivemindInit
  readonly initialPeers: readonly Multiaddr[]
  readonly listenOn: readonly Multiaddr[]
  readonly announce: readonly Multiaddr[]
  readonly clientMode: boolean
  readonly relay: boolean
  readonly privateKey: PrivateKey | undefined
  readonly identityPath: string | undefined
  readonly isStrict: boolean
  readonly requireBootstrap: boolean
  readonly bootstrapTimeoutMs: number
  readonly libp2p: Libp2p<ServiceMap> | undefined
  readonly signal: AbortSignal | undefined
  readonly logger: ComponentLogger | undefined
  readonly metrics: Libp2pOptions['metrics'] | undefined
  readonly libp2pOptions: Partial<Libp2pOptions>
}

const OPTIONS: OptionTable<HivemindDHTOptions> = {
  ...INIT_OPTIONS,
  initialPeers: { assert: assertEach(peerAddress) },
  listenOn: { assert: assertEach(listenAddress) },
  announce: { assert: assertEach(announcedAddress) },
  relay: { assert: assertBoolean },
  privateKey: {
    assert: assertMethod('sign', "a libp2p private key, such as await generateKeyPair('Ed25519')")
  },
  identityPath: { assert: assertText },
  strict: { assert: assertBoolean },
  requireBootstrap: { assert: assertBoolean },
  bootstrapTimeoutMs: { assert: assertPositive },
  libp2p: { assert: assertMethod('dial', 'a libp2p node') },
  signal: { assert: assertMethod('throwIfAborted', 'an AbortSignal') },
  logger: { assert: assertMethod('forComponent', 'a libp2p logger') },
  metrics: { assert: assertFunction },
  libp2pOptions: { assert: assertObject }
}

/** Options that are valid with a node that exists already. */
const FOR_EXISTING_NODE: readonly string[] = [
  'libp2p',
  'initialPeers',
  'strict',
  'requireBootstrap',
  'bootstrapTimeoutMs',
  'signal'
]

/**
 * Checks the caller's options and adds the defaults.
 *
 * @throws TypeError naming an option that is unknown or invalid
 */
export function nodeSettings(options: HivemindDHTOptions): NodeSettings {
  assertOptions('HivemindDHT.create', options, OPTIONS)
  assertCombines(options)
  const { clientMode = false, relay = false } = options
  const { listenOn = clientMode || relay ? [] : '127.0.0.1:0' } = options
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const isInit = ([name]: [string, unknown]): boolean => Object.hasOwn(INIT_OPTIONS, name)

  return {
    init: Object.fromEntries(given.filter(isInit)),
    initialPeers: asList(options.initialPeers).map((one) => peerAddress(one, 'initialPeers')),
    listenOn: asList(listenOn).map((one) => listenAddress(one, 'listenOn')),
    announce: asList(options.announce).map((one) => announcedAddress(one, 'announce')),
    clientMode,
    relay,
    privateKey: options.privateKey,
    identityPath: options.identityPath,
    isStrict: options.strict ?? true,
    requireBootstrap: options.requireBootstrap ?? true,
    bootstrapTimeoutMs: options.bootstrapTimeoutMs ?? DEFAULT_BOOTSTRAP_TIMEOUT_MS,
    libp2p: options.libp2p,
    signal: options.signal,
    logger: options.logger,
    metrics: options.metrics,
    libp2pOptions: options.libp2pOptions ?? {}
  }
}

function assertCombines(options: HivemindDHTOptions): void {
  if (options.privateKey !== undefined && options.identityPath !== undefined) {
    throw new TypeError('give either privateKey or identityPath, not both')
  }

  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const other = given.find(([option]) => !FOR_EXISTING_NODE.includes(option))

  if (options.libp2p !== undefined && other !== undefined) {
    throw new TypeError(
      `${other[0]} can't be combined with libp2p: configure the node itself, or its services hivemind() and hivemindKadDHT()`
    )
  }
}
