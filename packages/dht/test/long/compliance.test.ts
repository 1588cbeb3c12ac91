import { generateKeyPair } from '@libp2p/crypto/keys'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { isMultiaddr } from '@multiformats/multiaddr'
import { MemoryDatastore } from 'datastore-core'
import { TypedEventEmitter } from 'main-event'
import { describe } from 'vitest'
import { boundedDatastore } from '../../src/kad/bounded-datastore.ts'
import { mergingDatastore } from '../../src/kad/merging-datastore.ts'
import { coalescingMuxer } from '../../src/node/coalescing-muxer.ts'
import { guardedMuxer } from '../../src/node/guarded-muxer.ts'
import { unfragmentedWrites } from '../../src/node/unfragmented-writes.ts'
import { RecordStore } from '../../src/store/record-store.ts'
import { defineMochaGlobals } from '../support/mocha-globals.ts'
import { silentLog } from '../support/silent-log.ts'

defineMochaGlobals()

const { default: encrypterSuite } = await import(
  '@libp2p/interface-compliance-tests/connection-encryption'
)
const { default: muxerSuite } = await import('@libp2p/interface-compliance-tests/stream-muxer')
const { default: transportSuite } = await import('@libp2p/interface-compliance-tests/transport')
const { interfaceDatastoreTests } = await import('interface-datastore-tests')

const MAX_FRAME_BYTES = 16 * 1024 * 1024
const teardown = async (): Promise<void> => {}

const logger = { forComponent: () => silentLog }

/** Addresses of TCP. */
const TCP = { matchers: [], matches: isMultiaddr, exactMatch: isMultiaddr }
const ours = coalescingMuxer(yamux())

function guarded() {
  return guardedMuxer(ours, { maxFrameBytes: MAX_FRAME_BYTES })
}

describe('coalescingMuxer, as a stream muxer of libp2p', () => {
  muxerSuite({ setup: async () => ours({}), teardown })
})

describe('guardedMuxer, as a stream muxer of libp2p', () => {
  muxerSuite({ setup: async () => guarded()({ events: new TypedEventEmitter() }), teardown })
})

describe('unfragmentedWrites, as a connection encrypter of libp2p', () => {
  encrypterSuite({
    async setup(args) {
      const privateKey = args?.privateKey ?? (await generateKeyPair('Ed25519'))
      const components = { logger, privateKey, peerId: peerIdFromPrivateKey(privateKey) }
      return unfragmentedWrites(noise())({
        ...components,
        upgrader: { getStreamMuxers: () => new Map() }
      } as unknown as Parameters<ReturnType<typeof noise>>[0])
    },
    teardown
  })
})

describe('our layers around TCP, as a transport of libp2p', () => {
  transportSuite({
    async setup() {
      const layers = () => ({
        transports: [tcp()],
        connectionEncrypters: [unfragmentedWrites(noise())],
        streamMuxers: [guarded()],
        connectionGater: { denyDialMultiaddr: () => false }
      })
      const listen = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0']
      return {
        dialer: layers(),
        listener: { ...layers(), addresses: { listen } },
        dialMultiaddrMatcher: TCP,
        listenMultiaddrMatcher: TCP
      }
    },
    teardown
  })
})

describe('the datastore of kad-dht, as a datastore of libp2p', () => {
  interfaceDatastoreTests({
    setup: () =>
      mergingDatastore(boundedDatastore(new MemoryDatastore(), '/dht'), new RecordStore(), '/dht'),
    teardown
  })
})
