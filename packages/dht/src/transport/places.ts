import type { MultiaddrConnection } from '@libp2p/interface'

/** Places of connections that are being set up. */
export interface Places {
  add(connection: MultiaddrConnection): void
  delete(connection: MultiaddrConnection): void
}
