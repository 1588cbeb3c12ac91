import type { Multiaddr } from '@multiformats/multiaddr'
import type { Limits } from '@waggle/record'
import { DEFAULT_LIMITS } from '@waggle/record/replica'
import { platform } from '#platform'
import {
  DEFAULT_BOOTSTRAP_TIMEOUT_MS,
  DEFAULT_KAD_PROTOCOL,
  DEFAULT_LISTEN_ON
} from '../constants.ts'
import { limitsOf, type NodeLimits, nodeLimitsOf } from '../node-limits.ts'
import {
  asList,
  assertBoolean,
  assertEach,
  assertFunction,
  assertLimits,
  assertMethod,
  assertObject,
  assertOptions,
  assertPositive,
  assertText,
  assertValidators,
  type Option,
  withDefaults
} from '../option-checks.ts'
import { type PersistenceOptions, persistenceOptions } from '../persistence/persistence-options.ts'
import { SERVICE_OPTIONS } from '../service/service-options.ts'
import { announcedAddress, listenAddress, peerAddress } from './addresses.ts'
import type { DHTOptions } from './options.ts'
import { swarmKeyBytes } from './swarm-key.ts'

/** Options that always have a value. */
type WithDefault =
  | 'clientMode'
  | 'relay'
  | 'serveRelay'
  | 'numReplicas'
  | 'protocol'
  | 'validators'
  | 'cache'
  | 'connections'
  | 'serveGateway'
  | 'requireBootstrap'
  | 'strictClock'
  | 'bootstrapTimeoutMs'
  | 'requestTimeoutMs'
  | 'libp2pOptions'

type Parsed = 'listenOn' | 'initialPeers' | 'announce' | 'swarmKey' | 'limits'

/** The options with their defaults, checked and parsed. */
export type Settings = {
  readonly [K in WithDefault]: NonNullable<DHTOptions[K]>
} & {
  readonly [K in Exclude<keyof DHTOptions, WithDefault | Parsed | keyof PersistenceOptions>]:
    | DHTOptions[K]
    | undefined
} & {
  readonly listenOn: readonly Multiaddr[]
  readonly initialPeers: readonly Multiaddr[]
  readonly announce: readonly Multiaddr[]
  readonly swarmKey: Uint8Array | undefined
  readonly limits: Limits
  readonly nodeLimits: NodeLimits
  readonly persistence: PersistenceOptions
}

interface DHTOption<T> extends Option<T> {
  /** Whether the option concerns joining, and so is valid with a node that exists already. */
  readonly isForJoining?: boolean
}

type DHTOptionTable = { readonly [K in keyof DHTOptions]-?: DHTOption<NonNullable<DHTOptions[K]>> }

/** All options of `DHT.create`, in the order of the README. */
export const DHT_OPTIONS: DHTOptionTable = {
  listenOn: { assert: assertEach(listenAddress), default: DEFAULT_LISTEN_ON },
  initialPeers: { assert: assertEach(peerAddress), default: [], isForJoining: true },
  announce: { assert: assertEach(announcedAddress) },
  clientMode: { assert: assertBoolean, default: false },
  relay: { assert: assertBoolean, default: false },
  serveRelay: { assert: assertBoolean, default: false },
  ...SERVICE_OPTIONS,
  privateKey: {
    assert: assertMethod('sign', "a libp2p private key, such as await generateKeyPair('Ed25519')")
  },
  identityPath: { assert: assertText },
  protocol: { assert: assertText, default: DEFAULT_KAD_PROTOCOL },
  swarmKey: { assert: swarmKeyBytes },
  limits: { assert: assertLimits, default: {} },
  validators: { assert: assertValidators, default: [], isForJoining: true },
  requireBootstrap: { assert: assertBoolean, default: true, isForJoining: true },
  strictClock: { assert: assertBoolean, default: false, isForJoining: true },
  bootstrapTimeoutMs: {
    assert: assertPositive,
    default: DEFAULT_BOOTSTRAP_TIMEOUT_MS,
    isForJoining: true
  },
  libp2p: { assert: assertMethod('dial', 'a libp2p node'), isForJoining: true },
  signal: { assert: assertMethod('throwIfAborted', 'an AbortSignal'), isForJoining: true },
  logger: { assert: assertMethod('forComponent', 'a libp2p logger') },
  metrics: { assert: assertFunction },
  libp2pOptions: { assert: assertObject, default: {} }
}

/**
 * Checks the caller's options and adds the defaults.
 *
 * @throws TypeError naming the option that is unknown or invalid
 */
export function settingsOf(options: DHTOptions): Settings {
  assertOptions('DHT.create', options, DHT_OPTIONS)
  assertCombines(options)
  assertRoles(options)
  assertPlatform(options)
  const { relay = false, clientMode = relay || platform.isBrowser } = options
  const { limits = {}, swarmKey } = options
  const { listenOn = clientMode || platform.isBrowser ? [] : DEFAULT_LISTEN_ON } = options

  return {
    ...(withDefaults(options, DHT_OPTIONS) as Settings),
    clientMode,
    listenOn: asList(listenOn).map((address) => listenAddress(address, 'listenOn')),
    initialPeers: platform.dialled(
      asList(options.initialPeers).map((address) => peerAddress(address, 'initialPeers'))
    ),
    announce: asList(options.announce).map((address) => announcedAddress(address, 'announce')),
    swarmKey: swarmKey === undefined ? undefined : swarmKeyBytes(swarmKey, 'swarmKey'),
    limits: limitsOf(limits, DEFAULT_LIMITS),
    nodeLimits: nodeLimitsOf(limits),
    persistence: persistenceOptions(options)
  }
}

function assertCombines(options: DHTOptions): void {
  const { libp2p, privateKey, identityPath } = options
  const given = Object.keys(DHT_OPTIONS) as (keyof DHTOptions)[]
  const other = given.find(
    (name) => options[name] !== undefined && DHT_OPTIONS[name].isForJoining !== true
  )

  if (libp2p !== undefined && other !== undefined) {
    throw new TypeError(
      `${other} can't be combined with libp2p: configure the node itself, or its services waggle() and waggleKadDHT()`
    )
  }

  if (privateKey !== undefined && identityPath !== undefined) {
    throw new TypeError('give either privateKey or identityPath, not both')
  }
}

/** Checks roles: a node that others can't dial must neither store records for them nor relay. */
function assertRoles({ clientMode, pages, relay, serveRelay }: DHTOptions): void {
  if (pages !== undefined && clientMode === false) {
    throw new TypeError(
      'pages is for clients: a page stores records for others only while no server is left. Leave out clientMode: false'
    )
  }

  if (relay === true && clientMode === false) {
    throw new TypeError(
      "relay is for nodes that others can't dial, which are clients: leave out clientMode: false, or relay if others can dial this node"
    )
  }

  if (serveRelay === true && (relay === true || clientMode === true)) {
    throw new TypeError(
      "serveRelay is for nodes that others can dial: it can't be combined with relay or clientMode"
    )
  }
}

/** Refuses what means nothing in a browser, and says what to do there. */
function assertPlatform(options: DHTOptions): void {
  const { refusals } = platform
  const names = Object.keys(refusals) as (keyof DHTOptions)[]
  const refused = names.find((name) => options[name] !== undefined && options[name] !== false)

  if (refused !== undefined) {
    throw new TypeError(`${refused}: ${refusals[refused]}`)
  }
}
