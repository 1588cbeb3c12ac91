import type { PeerId } from '@libp2p/interface'
import type { DHTId } from '../keys/dht-id.ts'
import { NamedContacts, type NodeContact } from '../peers/node-contact.ts'
import { TableCheck } from '../peers/table-check.ts'
import { compareEntries, type HivemindRecord, join } from '../record/record.ts'
import type { HivemindWrite } from '../record/write.ts'
import type { Replica } from '../replica/replica.ts'
import { itemOf } from '../replica/store-item.ts'
import type { Validation } from '../replica/validation.ts'
import type { HivemindClient } from '../rpc/client.ts'
import type { CancellationToken, Lookups } from '../waggle-parts.ts'
import type { FindResult } from '../wire/messages.ts'
import { FindLookup, type FoundAnswer, type HeldBy } from './find-lookup.ts'
import { type NodeSearchInit, nodeSearch } from './node-search.ts'
import { receivedRecord } from './received.ts'
import { WriteLookup, type WriteOutcome } from './write-lookup.ts'

export interface NetworkInit extends NodeSearchInit {
  readonly client: HivemindClient
  readonly lookups: Lookups
  readonly replica: Replica
  readonly validation: Validation
  readonly clock: () => number
  readonly numReplicas: number
  readonly bucketSize: number

  /** Whether a peer has failed and has not been seen since. Others may list it for a while. */
  readonly hasFailed: (peer: PeerId) => boolean
}

export interface FindOptions {
  readonly cancellation: CancellationToken
  readonly isLatest: boolean
  readonly isSufficient: (record: HivemindRecord) => boolean
}

/** The result of a search. */
export interface Findings {
  /** The merged record of all nodes that responded. */
  readonly record: HivemindRecord

  /** The record of each of them. */
  readonly answers: readonly HeldBy[]

  /** Responding nodes nearest to the key, nearest first. */
  readonly nearest: readonly NodeContact[]

  /** Whether this node is a server and one of the nearest. */
  readonly isNear: boolean
}

/** The other nodes, and this one where it is near enough, as one store to read and write. */
export class Network {
  readonly #init: NetworkInit
  readonly #named = new NamedContacts()
  readonly #table = new TableCheck(() => performance.now())

  constructor(init: NetworkInit) {
    this.#init = init
  }

  /**
   * Merges the records of nodes near a key until the options are satisfied.
   *
   * @throws UnreachableError when no node responded
   */
  async find(key: DHTId, options: FindOptions): Promise<Findings> {
    const { bucketSize, clientMode, lookups, numReplicas, self } = this.#init
    const search = nodeSearch(this.#init, key, numReplicas)
    const lookup = new FindLookup({
      ...options,
      ...{ search, numReplicas, bucketSize, isServer: !clientMode },
      ask: (contact) => this.#ask(contact, key)
    })
    await lookups.run(lookup)
    lookup.assertHeard()
    const answered = search.answers() as NodeContact[]
    const nearest = answered.filter((contact) => contact !== self)
    const isNear = nearest.length < answered.length
    return { record: lookup.record, answers: lookup.answers, nearest, isNear }
  }

  /** Stores a write at the nearest responding nodes and returns the outcome at each. */
  async write(
    key: DHTId,
    write: HivemindWrite,
    cancellation: CancellationToken
  ): Promise<WriteOutcome[]> {
    const { lookups, numReplicas, self } = this.#init
    const search = nodeSearch(this.#init, key, numReplicas)
    const lookup = new WriteLookup({
      ...{ search, cancellation, numReplicas },
      nodesAsked: this.#table.isComplete ? 0 : NODES_ASKED,
      store: (contact) => this.store(contact, key, write),
      find: async (contact) => this.#nearestIn(await this.#init.client.find(contact, key))
    })
    await lookups.run(lookup)
    const isHere = !cancellation.isCancelled && search.answers().includes(self)
    return isHere ? [await this.#storeHere(key, write), ...lookup.outcomes()] : lookup.outcomes()
  }

  /** Finds the responding nodes nearest to a key, nearest first. */
  async nearest(
    key: DHTId,
    count: number,
    cancellation: CancellationToken
  ): Promise<NodeContact[]> {
    const { client, lookups, self } = this.#init
    const search = nodeSearch({ ...this.#init, clientMode: true }, key, count)
    await lookups.run({
      ...{ search, cancellation, isHedged: false, parallelism: ALPHA },
      ask: async (contact) => {
        return { closer: this.#nearestIn(await client.find(contact as NodeContact, key)) }
      },
      take: () => false
    })
    return search.answers().filter((contact) => contact !== self) as NodeContact[]
  }

  /** Stores a write at one node. A refused retry counts as accepted if the node has the entry. */
  async store(contact: NodeContact, key: DHTId, write: HivemindWrite): Promise<WriteOutcome> {
    const { client } = this.#init

    if (await client.store(contact, itemOf(key, write))) {
      return 'accepted'
    }

    return outcomeOf(await this.#received(key, await client.find(contact, key)), write)
  }

  async #ask(contact: NodeContact, key: DHTId): Promise<FoundAnswer> {
    const result = await this.#init.client.find(contact, key)
    return { record: await this.#received(key, result), closer: this.#nearestIn(result) }
  }

  /** Decodes the nodes in a response and records whether the routing table lacks any. */
  #nearestIn({ nearest }: FindResult): NodeContact[] {
    const { hasFailed, routing, self } = this.#init
    const contacts = nearest.flatMap((node) => this.#named.of(node) ?? [])
    const isKnown = ({ id }: NodeContact): boolean =>
      id.equals(self.id) || routing.get(id) !== undefined || hasFailed(id)
    this.#table.record(contacts.every(isKnown))
    return contacts
  }

  #received(key: DHTId, { found }: FindResult): Promise<HivemindRecord> {
    const { validation, clock } = this.#init
    return receivedRecord(key, found, { validation, now: clock() })
  }

  async #storeHere(key: DHTId, write: HivemindWrite): Promise<WriteOutcome> {
    const { replica, self } = this.#init
    const name = self.id.toString()
    const checked = await replica.checkAtOnce(itemOf(key, write), name)
    return replica.take(checked, name) ? 'accepted' : outcomeOf(replica.get(key), write)
  }
}

/** Nodes queried for nearer ones when a value is stored and the table may be incomplete. */
const NODES_ASKED = 2

/** Nodes queried at once on the way to a key: Kademlia's α. */
const ALPHA = 3

/**
 * Derives the outcome of a refused write from the node's record: it holds the write itself, an entry that beats it,
 * or neither.
 */
function outcomeOf(held: HivemindRecord, { subkey, ...entry }: HivemindWrite): WriteOutcome {
  const written: HivemindRecord =
    subkey === undefined
      ? { plain: entry, subkeys: new Map() }
      : { subkeys: new Map([[subkey, entry]]) }
  const both = join(held, written)
  const shown = subkey === undefined ? both.plain : both.subkeys.get(subkey)
  const kept = subkey === undefined ? held.plain : held.subkeys.get(subkey)

  if (
    shown === undefined ||
    compareEntries(shown, entry) !== 0 ||
    (subkey === undefined && both.subkeys.size > 0)
  ) {
    return 'beaten'
  }

  return kept !== undefined && compareEntries(kept, entry) === 0 ? 'accepted' : 'refused'
}
