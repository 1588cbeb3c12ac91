import type { PeerId } from '@libp2p/interface'
import type { DHT, Waggle } from '@waggle/dht'
import type { Hivemind } from '@waggle/hivemind'
import type { Context } from '../context.ts'
import { DONE, FAILED, toError } from '../errors.ts'
import { failure, reasonsIn } from '../failure.ts'
import type { CommandIO } from '../io.ts'
import { initialPeersFor, withClient } from '../network/client.ts'
import { hivemindClient } from '../network/hivemind-client.ts'
import {
  addHivemindOption,
  addNetworkOptions,
  type HivemindOptions,
  type NetworkOptions
} from '../network/network-options.ts'
import { parseCount } from '../text/count.ts'
import { act, define, type Program } from './define.ts'

type ConnectOptions = NetworkOptions & HivemindOptions & { readonly timeout?: string }
type PingOptions = ConnectOptions & { readonly count: string }

/** The measurements of one node. */
interface Answered {
  readonly address: string
  readonly id: string
  readonly roundTripsMs: readonly number[]

  /** Milliseconds by which its clock is ahead of ours; undefined if it does not report its time. */
  readonly skewMs: number | undefined
}

/** The services of the library's nodes, by their names. */
interface Services {
  readonly ping: { ping(peer: PeerId, options: { signal: AbortSignal }): Promise<number> }
  readonly waggle: Waggle
}

/**
 * The longest time for a connection. It is short, because `ping` reports problems and does not wait for a node to
 * start.
 */
const CONNECT_TIMEOUT = '3s'

interface HivemindServices extends Pick<Services, 'ping'> {
  readonly hivemind: Hivemind
}

export function addPing(program: Program): void {
  const command = define(program, {
    usage: 'ping [addresses...]',
    summary: 'Check whether nodes respond, how fast, and whether their clocks agree with this one',
    more: ['Without addresses, pings the initial peers or the nodes of this machine.'],
    examples: [
      ['waggle ping', 'the nodes of this machine'],
      [
        'waggle ping 10.0.0.1:1337 10.0.0.2:1337',
        'two other nodes; reports what is wrong with each'
      ]
    ]
  })
  command.option('-c, --count <number>', 'number of round trips', '3')
  addHivemindOption(addNetworkOptions(command))
  act(program, command, ping)
}

async function ping(
  context: Context,
  options: PingOptions,
  addresses: readonly string[]
): Promise<number> {
  const count = parseCount(options.count, '--count')
  const asked = addresses.length > 0 ? addresses : await initialPeersFor(options, context.io)
  let exitCode = DONE

  for (const address of asked) {
    exitCode = Math.max(
      exitCode,
      await pingOne(
        context,
        { timeout: CONNECT_TIMEOUT, ...options, initialPeers: [address] },
        count
      )
    )
  }

  return exitCode
}

async function pingOne(context: Context, options: ConnectOptions, count: number): Promise<number> {
  const { io, paint } = context
  const [address = ''] = options.initialPeers ?? []

  try {
    const answered = await (options.hivemind === true
      ? measuredHivemind(options, io, { address, count })
      : withClient(options, io, (dht) => measured(dht, address, count, io.signal)))
    const { id, roundTripsMs, skewMs } = answered
    context.answer({
      json: { address, id, roundTripsMs, ...(skewMs !== undefined && { clockSkewMs: skewMs }) },
      text: `${address}  ${paint('name', id)}  ${roundTripsMs.map((ms) => ms.toFixed(1)).join(', ')} ms  ${shownSkew(skewMs)}`
    })
    return DONE
  } catch (error) {
    io.signal.throwIfAborted()
    const thrown = toError(error)
    const { message, exitCode } = failure(thrown)
    // The node was named: advice to name one would mislead.
    const reasons = thrown.name === 'BootstrapError' ? reasonsIn(thrown.message) : message
    context.answer({ json: { address, error: reasons } })
    context.isJson || io.err(`${paint('bad', address)}  ${reasons}`)
    return Math.max(FAILED, exitCode)
  }
}

async function measured(
  dht: DHT,
  address: string,
  count: number,
  signal: AbortSignal
): Promise<Answered> {
  const { ping, waggle } = dht.libp2p.services as unknown as Services
  const [peer] = waggle.joinedPeers

  if (peer === undefined) {
    throw new Error('the node disconnected right after it responded')
  }

  const roundTripsMs = await roundTrips(count, () => ping.ping(peer, { signal }))
  const skewMs = (await waggle.compareClocks(peer, { signal }))?.skewMs
  return { address, id: peer.toString(), roundTripsMs, skewMs }
}

/** Measures a Hivemind node, which includes its time in each response. */
async function measuredHivemind(
  options: ConnectOptions,
  io: CommandIO,
  { address, count }: { readonly address: string; readonly count: number }
): Promise<Answered> {
  await using dht = await hivemindClient(options, io)
  const { ping, hivemind } = dht.libp2p.services as unknown as HivemindServices
  const [peer] = dht.peers

  if (peer === undefined) {
    throw new Error('the node disconnected right after it responded')
  }

  const roundTripsMs = await roundTrips(count, () => ping.ping(peer, { signal: io.signal }))
  const askedAt = Date.now()
  const { dhtTime } = await hivemind.ping(peer)
  const skewMs = dhtTime * 1000 - (askedAt + Date.now()) / 2
  return { address, id: peer.toString(), roundTripsMs, skewMs }
}

async function roundTrips(count: number, ping: () => Promise<number>): Promise<number[]> {
  const roundTripsMs: number[] = []

  for (let i = 0; i < count; i++) {
    const startMs = performance.now()
    await ping()
    roundTripsMs.push(Number((performance.now() - startMs).toFixed(2)))
  }

  return roundTripsMs
}

function shownSkew(skewMs: number | undefined): string {
  if (skewMs === undefined) {
    return 'does not report its time'
  }

  return Math.abs(skewMs) < 1
    ? 'clocks agree'
    : `its clock is ${Math.abs(Math.round(skewMs))} ms ${skewMs > 0 ? 'ahead' : 'behind'}`
}
