import { recordKey, type Submission } from '../src/index.ts'
import { placeOwner, subkeyId } from '../src/replica.ts'

/** Makes a submission: a tombstone under the key 'key', except for these differences. */
export function submission(differences: Partial<Submission> = {}): Submission {
  const { key = 'key', subkey } = differences
  const id = subkey === undefined ? undefined : subkeyId(subkey)
  const owner = placeOwner(recordKey(key), id)?.id
  return { key, subkey, value: undefined, expirationTime: 1_000, owner, ...differences }
}
