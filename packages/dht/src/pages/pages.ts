import type { Libp2pOptions } from 'libp2p'
import { Mesh, type MeshInit } from './mesh.ts'
import { StandIn, type StandInInit } from './stand-in.ts'

/** Lets pages talk to each other: the option `pages` of `DHT.create`, made by `webRTC()`. */
export interface Pages {
  /** The libp2p transport between pages. */
  readonly transport: NonNullable<Libp2pOptions['transports']>[number]

  /** Creates the parts of a node's service that meet other pages and stand in for servers. */
  join(init: PagePartsInit): PageParts
}

export type PagePartsInit = MeshInit & StandInInit

/** The parts of a page that talks to others. */
export interface PageParts {
  readonly standIn: StandIn

  /** Follows servers and pages until the signal is aborted. */
  follow(signal: AbortSignal): Promise<void>
}

/** Creates the parts. */
export function createPageParts(init: PagePartsInit): PageParts {
  const standIn = new StandIn(init)
  const mesh = new Mesh(init)
  return {
    standIn,
    async follow(signal) {
      await standIn.follow(signal)
      mesh.follow(signal)
    }
  }
}
