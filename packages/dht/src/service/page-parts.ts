import { partsOf } from '../kad/node-parts.ts'
import type { PageParts } from '../pages/pages.ts'
import type { RecordStore } from '../store/record-store.ts'
import type { Upkeep } from '../upkeep/upkeep.ts'
import type { PeerParts } from './peer-parts.ts'
import type { PartsInit } from './service-init.ts'

interface OtherParts extends Pick<PeerParts, 'client' | 'routing'> {
  readonly cache: RecordStore | undefined
  readonly servers: { serveRecords(): Promise<void>; stopServing(): Promise<void> }
  readonly upkeep: Pick<Upkeep, 'run'>
}

/** Creates the parts of a page that talks to others; undefined for any other node. */
export function joinPages(
  { components, events, pages, requestTimeoutMs, role }: PartsInit,
  { cache, client, routing, servers, upkeep }: OtherParts
): PageParts | undefined {
  const { logger, registrar } = components
  const joined = pages?.join({
    ...{ cache, client, components, events, registrar, requestTimeoutMs, routing },
    store: partsOf(components).store,
    log: logger.forComponent('waggle:pages'),
    servers: () => routing.connected.filter((peer) => !role.isPage(peer)),
    serve: () => servers.serveRecords(),
    stopServing: () => servers.stopServing(),
    handOver: () => upkeep.run()
  })
  role.standIn = joined?.standIn
  return joined
}
