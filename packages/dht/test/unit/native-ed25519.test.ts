import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { verifySignature } from '@waggle/record/replica'
import { fromString } from 'uint8arrays/from-string'
import { describe, expect, it } from 'vitest'
import { fastVerify, verifyInThread } from '../../src/store/native-ed25519.ts'

const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(7))
const publicKey = privateKey.publicKey.raw
const message = fromString('waggle')
const signature = Uint8Array.from(await privateKey.sign(message))

describe.each([
  ['fastVerify', fastVerify],
  ['verifyInThread', verifyInThread ?? fastVerify]
])('%s', (_, verify) => {
  it.each<[string, boolean, Parameters<typeof verifySignature>]>([
    ['accepts a good signature', true, [publicKey, message, signature]],
    ['refuses one of another message', false, [publicKey, message.slice(1), signature]],
    ['refuses one of another key', false, [new Uint8Array(32).fill(1), message, signature]],
    ['refuses one that is too short', false, [publicKey, message, signature.slice(1)]],
    ['refuses a key off the curve', false, [new Uint8Array(32).fill(2), message, signature]]
  ])('%s, as verifySignature does (R15)', async (_, isGood, signed) => {
    expect(await verify(...signed)).toBe(isGood)
    expect(verifySignature(...signed)).toBe(isGood)
  })
})
