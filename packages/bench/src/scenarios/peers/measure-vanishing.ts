import { HostApart } from '../../processes/host-apart.ts'
import { stopProcess } from '../../processes/stop-process.ts'
import { WAGGLE } from '../../systems/contestants.ts'
import type { Operation } from '../../systems/handlers.ts'
import { Network } from '../../systems/network.ts'
import type { Measured } from '../../workload/drive.ts'
import { KeyNumbers } from '../../workload/key-numbers.ts'
import type { MeasureOptions } from './measure-system.ts'

/** The gets after nodes have vanished: nothing is reset, they only answer no more. */
export interface VanishingRound {
  /** Packets to them are dropped; or, where that can't be done, their process is stopped. */
  readonly how: 'dropped' | 'stopped'
  readonly measured: Measured
}

/** Unmeasured operations before. */
const WARM_UP = 200

/** Starts a network of Waggle whose last process is on a host that vanishes. */
export async function measureVanishing(options: MeasureOptions): Promise<VanishingRound> {
  const host = await HostApart.start(options)

  if (host === undefined) {
    return measureStopping(options)
  }

  try {
    const { nodesOfProcesses } = options.plan
    const network = await Network.start({
      contestant: WAGGLE,
      nodesOfProcesses,
      signal: options.signal,
      host: host.ownAddress,
      lastHost: host
    })

    return { how: 'dropped', measured: await measureLoss(network, options, () => host.pull()) }
  } finally {
    host.stop()
  }
}

/** The kernel still acknowledges what a stopped process is sent, so this is not quite the same. */
async function measureStopping(options: MeasureOptions): Promise<VanishingRound> {
  const { nodesOfProcesses } = options.plan
  const { signal } = options
  const network = await Network.start({ contestant: WAGGLE, nodesOfProcesses, signal })
  const stop = (): void => stopProcess(network.lastServer.pid)

  return { how: 'stopped', measured: await measureLoss(network, options, stop) }
}

/** Stops the network when it is done. */
async function measureLoss(
  network: Network,
  { plan }: MeasureOptions,
  lose: () => void
): Promise<Measured> {
  const numbers = new KeyNumbers()
  const run = (operation: Operation, keys: readonly number[]): Promise<Measured> =>
    network.client.call('run', { operation, keys, inFlight: 1 })

  try {
    const before = numbers.take(Math.min(plan.warmUp, WARM_UP))
    const keys = numbers.take(plan.afterFailure)
    await run('store', [...before, ...keys])
    await run('get', before)
    lose()

    return await run('get', keys)
  } finally {
    await network.stop()
  }
}
