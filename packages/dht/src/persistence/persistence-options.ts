import type { Datastore } from 'interface-datastore'
import { DEFAULT_DURABILITY } from '../constants.ts'
import { assertMethod, assertOneOf, assertText, type OptionTable } from '../option-checks.ts'
import type { Durability } from './disk.ts'

/** Options of persistence: the place where records and known peers outlive the process. */
export interface PersistenceOptions {
  /**
   * Directory in which records, known peers and the identity outlive the process. Created if
   * missing; one node at a time uses it.
   *
   * @default memory
   * @see [persistence](../../docs/running.md#persistence)
   */
  dataDir?: string | undefined

  /**
   * An interface-datastore for records and known peers instead of a directory. The caller opens and
   * closes it and lends it to one node only: wrap one that is shared in a `NamespaceDatastore`.
   *
   * @default memory
   */
  datastore?: Datastore | undefined

  /**
   * When a write to this node is acknowledged: `'relaxed'`, `'written'` or, with a `dataDir` only,
   * `'synced'`. With a datastore, `'written'` means that it has committed the write.
   *
   * @default DEFAULTS.durability
   * @see [durability](../../docs/running.md#when-a-write-is-acknowledged)
   */
  durability?: Durability | undefined
}

/** Options of persistence, with their checks. */
export const PERSISTENCE_OPTIONS: OptionTable<PersistenceOptions> = {
  dataDir: { assert: assertText },
  datastore: { assert: assertMethod('batch', 'an interface-datastore') },
  durability: {
    assert: assertOneOf('relaxed', 'written', 'synced'),
    default: DEFAULT_DURABILITY
  }
}

/**
 * Selects the options of persistence.
 *
 * @throws TypeError for conflicting options
 */
export function persistenceOptions(options: PersistenceOptions): PersistenceOptions {
  const { dataDir, datastore, durability } = options

  if (dataDir !== undefined && datastore !== undefined) {
    throw new TypeError('give either dataDir or datastore, not both')
  }

  if (durability !== undefined && dataDir === undefined && datastore === undefined) {
    throw new TypeError('durability needs a dataDir or a datastore: in memory nothing is durable')
  }

  if (durability === 'synced' && datastore !== undefined) {
    throw new TypeError("durability 'synced' needs a dataDir: a datastore can't be told to sync")
  }

  return { dataDir, datastore, durability }
}
