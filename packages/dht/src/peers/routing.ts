import type { Contact } from './contact.ts'

/** Where a search for a key begins. */
export interface Routing {
  /** The known peers that are nearest to the point `target` of the key space. */
  nearest(target: Uint8Array, count: number): Contact[]
}
