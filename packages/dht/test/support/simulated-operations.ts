import { DEFAULT_NUM_REPLICAS } from '../../src/constants.ts'
import { Operations, type OperationsInit } from '../../src/operations/operations.ts'
import { Publications } from '../../src/operations/publications.ts'
import { cachePolicy } from '../../src/reading/cache-policy.ts'
import { CachedReads } from '../../src/reading/cached-reads.ts'
import { operationsView, type SealedView } from '../../src/sealed/sealed-view.ts'
import { silentLog } from './silent-log.ts'
import type { Simulation } from './simulated-replicas.ts'
import { SimulatedWatches } from './simulated-watches.ts'

/** Makes the operations of this node of a simulated network, without a cache by default. */
export function operations(
  net: Simulation,
  init: Partial<OperationsInit> = {}
): Operations & SealedView {
  const { replicas } = net
  const { store } = net.self
  return operationsView(
    new Operations({
      peerId: net.self.id,
      replicas,
      reads: new CachedReads({
        replicas,
        policy: cachePolicy({}),
        log: silentLog
      }),
      publications: new Publications(net.clock),
      store,
      watches: new SimulatedWatches(net).watches,
      numReplicas: DEFAULT_NUM_REPLICAS,
      lifetime: new AbortController().signal,
      ...init
    })
  )
}
