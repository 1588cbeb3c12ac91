import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  type DHTRecord,
  encodeRecord,
  getDHTTime,
  ownerTag,
  plainRecord,
  recordKey,
  signRecord,
  ValidationError
} from '@waggle/record'
import { subkeyId } from '@waggle/record/replica'
import { describe, expect, it } from 'vitest'
import { recordValidator } from '../../src/index.ts'

const party = recordKey('party')
const alice = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(1))
const tag = ownerTag(peerIdFromPrivateKey(alice))

/** Makes a dictionary of signed subkeys; `salt` makes its values unique. */
function manySigned(count: number, salt: number): Promise<DHTRecord> {
  const expirationTime = getDHTTime() + 600
  const ids = Array.from({ length: count }, (_, i) => subkeyId(`${tag}${i}`)).sort()
  const subkeys = new Map(ids.map((id) => [id, { expirationTime, value: Uint8Array.of(salt) }]))
  return signRecord(party, { subkeys }, alice)
}

/** Counts the turns of the event loop until a promise settles. */
async function turnsUntil(settled: Promise<unknown>): Promise<number> {
  let turns = 0
  const again = (): void => {
    turns++
    next = setImmediate(again)
  }
  let next = setImmediate(again)

  try {
    await settled
  } finally {
    clearImmediate(next)
  }

  return turns
}

describe('recordValidator', () => {
  it('resolves for a valid record and rejects an expired one (R1, N1)', async () => {
    const valid = encodeRecord(plainRecord('x', getDHTTime() + 60))
    const expired = encodeRecord(plainRecord('x', getDHTTime() - 1))

    await expect(recordValidator(party, valid)).resolves.toBeUndefined()
    await expect(recordValidator(party, expired)).rejects.toThrow(ValidationError)
  })

  it('gives other work its turns while it verifies many signatures (R15, N1, N9f)', async () => {
    const records = await Promise.all([1, 2, 3].map((salt) => manySigned(300, salt)))
    const validated = Promise.all(records.map((one) => recordValidator(party, encodeRecord(one))))

    expect(await turnsUntil(validated)).toBeGreaterThan(6)
  })

  it('rejects a record of which only the last signature is forged (R15, N1)', async () => {
    const { subkeys } = await manySigned(300, 4)
    const last = [...subkeys.keys()].at(-1) as string
    const forged = new Map(subkeys).set(last, {
      ...subkeys.get(last),
      expirationTime: getDHTTime() + 700
    })

    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(recordValidator(party, encodeRecord({ subkeys: forged }))).rejects.toThrow(
        ValidationError
      )
    }
  })
})
