import { recordKey, type Submission } from '../src/index.ts'
import { ownerOf, subkeyId } from '../src/replica.ts'

/** What validators are asked about; a plain value under the key 'key', unless it says otherwise. */
export function submission(differences: Partial<Submission> = {}): Submission {
  const { key = 'key', subkey } = differences
  const id = subkey === undefined ? undefined : subkeyId(subkey)
  const owner = ownerOf(recordKey(key), id)?.id
  return { key, subkey, value: undefined, expirationTime: 1_000, owner, ...differences }
}
