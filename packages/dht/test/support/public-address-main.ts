/**
 * Reports what happens to a relayed connection when the other peers have public addresses, as a line of JSON. Run it
 * where `PUBLIC_ADDRESS` is an address of the machine: in a network namespace.
 */
import process from 'node:process'
import type { Connection } from '@libp2p/interface'
import { DHT } from '@waggle/dht'

export interface UpgradeReport {
  /** The addresses that the relay announces. It listens on the public one. */
  readonly relayAddresses: readonly string[]

  /** Whether the hidden node was reached through the relay. */
  readonly isRelayed: boolean

  /** The direct connection a little later, as the caller sees it. */
  readonly direct: 'inbound' | 'outbound' | 'none'

  /** Whether the relayed connection is closed by then. */
  readonly isRelayLeft: boolean
}

const PATIENCE_MS = 15_000
const PAUSE_MS = 20

async function main(address: string): Promise<UpgradeReport> {
  const listenOn = `${address}:0`
  await using relay = await DHT.create({ listenOn, serveRelay: true })
  await using hidden = await DHT.create({ relay: true, initialPeers: relay.multiaddrs })
  await using caller = await DHT.create({ listenOn, relay: true, initialPeers: relay.multiaddrs })
  await until(() => hidden.multiaddrs.length > 0)
  const connection = await caller.libp2p.dial(hidden.multiaddrs)
  const isRelayed = connection.limits !== undefined
  const find = (isWanted: (one: Connection) => boolean): Connection | undefined =>
    caller.libp2p.getConnections(hidden.peerId).find(isWanted)
  const isDirect = ({ limits }: Connection): boolean => limits === undefined
  const isUpgraded = (): boolean =>
    find(isDirect) !== undefined && find((one) => !isDirect(one)) === undefined
  await until(isUpgraded)

  return {
    relayAddresses: relay.multiaddrs.map(String),
    isRelayed,
    direct: find(isDirect)?.direction ?? 'none',
    isRelayLeft: find((one) => !isDirect(one)) === undefined
  }
}

/** Resolves when a condition is true, or after a time limit. */
async function until(isTrue: () => boolean): Promise<void> {
  for (const startMs = performance.now(); performance.now() - startMs < PATIENCE_MS; ) {
    if (isTrue()) {
      return
    }

    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

process.stdout.write(`${JSON.stringify(await main(process.argv[2] ?? ''))}\n`)
