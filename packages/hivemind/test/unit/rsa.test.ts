import { generateKeyPair } from '@libp2p/crypto/keys'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesOf, textOf } from '../../src/bytes/latin1.ts'
import { decodeValue } from '../../src/msgpack/msgpack-reader.ts'
import { encodeValue } from '../../src/msgpack/msgpack-writer.ts'
import { DEFAULT_HIVEMIND_LIMITS } from '../../src/replica/limits.ts'
import { Validation } from '../../src/replica/validation.ts'
import { opensshKey, parseOpensshKey } from '../../src/validators/openssh.ts'
import { rsaSignatures, signedMessage, verified } from '../../src/validators/rsa.ts'
import { rsaPublicKey } from '../../src/validators/rsa-keys.ts'
import { bytesOfHex, hexOf } from '../support/hex.ts'
import { vectors } from '../support/vectors.ts'

const { python, jsSigned } = vectors.rsa

/** A libp2p key with the fields that signing needs. */
const pythonKey = await privateKeyOf(python.private_key_pkcs1_der)

const submission = {
  key: bytesOfHex(python.key),
  subkey: bytesOfHex(python.subkey),
  value: bytesOfHex(python.value),
  expirationTime: python.expiration_time as number
}
const signed = { ...submission, value: bytesOfHex(python.signed_value) }

async function privateKeyOf(
  pkcs1: string
): Promise<Parameters<typeof rsaSignatures>[0]['privateKey']> {
  const { privateKeyFromRaw } = await import('@libp2p/crypto/keys')
  return privateKeyFromRaw(bytesOfHex(pkcs1))
}

describe('signedMessage', () => {
  it('is what Python signs', () => {
    expect(hexOf(signedMessage(submission))).toBe(python.signed_message)
  })

  it('is what WebCrypto signed and Python accepted', () => {
    const message = signedMessage({
      key: bytesOfHex(jsSigned.key),
      subkey: bytesOfHex(jsSigned.subkey),
      value: bytesOfHex(jsSigned.value),
      expirationTime: jsSigned.expirationTime
    })
    expect(hexOf(message)).toBe(jsSigned.message)
  })
})

describe('verified', () => {
  it("accepts Python's signature, and cuts it off", async () => {
    expect(await verified(signed)).toEqual(submission.value)
  })

  it('accepts what WebCrypto signed', async () => {
    const value = await verified({
      key: bytesOfHex(jsSigned.key),
      subkey: bytesOfHex(jsSigned.subkey),
      value: bytesOfHex(jsSigned.signedValue),
      expirationTime: jsSigned.expirationTime
    })
    expect(value).toEqual(bytesOfHex(jsSigned.value))
  })

  it('accepts what rsaSignatures signs', async () => {
    const signatures = rsaSignatures({ privateKey: pythonKey })
    const value = await signatures.sign?.(submission)

    expect(signatures.ownerTag).toBe(python.owner_tag)
    expect(await verified({ ...submission, value: value as Uint8Array })).toEqual(submission.value)
  })

  const twice = bytesOf(textOf(signed.value) + textOf(signed.value).slice(submission.value.length))

  it.each([
    ['no signature', submission],
    ['another key', { ...signed, key: new Uint8Array(20) }],
    ['another expiration', { ...signed, expirationTime: signed.expirationTime + 1 }],
    ['another subkey', { ...signed, subkey: bytesOf(`${textOf(signed.subkey)}x`) }],
    ['another value', { ...signed, value: bytesOf(textOf(signed.value).replace('true', 'lies')) }],
    ['two signatures', { ...signed, value: twice }],
    ['a signature that is not base64', { ...submission, value: bytesOf('\xa1a[signature:?]') }],
    ['two owners', { ...signed, subkey: bytesOf(`${textOf(signed.subkey)}[owner:ssh-rsa AAAA]`) }],
    ['an owner of another kind', { ...signed, subkey: encodeValue('[owner:12D3KooW]') }],
    ['a key that is cut short', { ...signed, subkey: encodeValue('[owner:ssh-rsa AAAAB3Nz]') }]
  ])('refuses %s', async (_, wrong) => {
    expect(await verified(wrong)).toEqual(expect.any(String))
  })

  it('refuses a signature with another salt', async () => {
    const pss = { name: 'RSA-PSS', hash: 'SHA-256' }
    const { jwkOfPkcs1 } = await import('../../src/validators/pkcs1.ts')
    const jwk = jwkOfPkcs1(bytesOfHex(python.private_key_pkcs1_der))
    const key = await crypto.subtle.importKey('jwk', jwk, pss, false, ['sign'])
    const message = signedMessage(submission) as Uint8Array<ArrayBuffer>
    const signature = await crypto.subtle.sign({ name: 'RSA-PSS', saltLength: 32 }, key, message)
    const base64 = Buffer.from(signature).toString('base64')
    const value = bytesOf(`${textOf(submission.value)}[signature:${base64}]`)

    expect(await verified({ ...submission, value })).toMatch(/not the owner/)
  })
})

describe('rsaSignatures', () => {
  it('leaves what is not under its own tag as it is', async () => {
    const other = rsaSignatures({ privateKey: await generateKeyPair('RSA', 2048) })
    expect(await other.sign?.(submission)).toBe(submission.value)
  })

  it('refuses to store what readers would take for a signature', async () => {
    const signatures = rsaSignatures({ privateKey: pythonKey })
    const value = encodeValue('see [signature:x]')
    await expect(signatures.sign?.({ ...submission, value })).rejects.toThrow(
      /take for a signature/
    )
  })

  it('refuses a key of another type', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    expect(() => rsaSignatures({ privateKey })).toThrow(/must be of type RSA/)
  })
})

describe('opensshKey', () => {
  it('writes what parseOpensshKey reads', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 }).filter(([first]) => first !== 0)
    fc.assert(
      fc.property(bytes, bytes, (n, e) => {
        const numbers = {
          n: Buffer.from(n).toString('base64url'),
          e: Buffer.from(e).toString('base64url')
        }
        expect(parseOpensshKey(opensshKey(numbers))).toEqual(numbers)
      })
    )
  })

  it('gives no key that takes long to verify with', async () => {
    const { n } = jsSigned.jwk
    await expect(rsaPublicKey(opensshKey({ n, e: n }))).rejects.toThrow(/exponent of 2048 bits/)
  })

  it('is the one in the tag of a key', () => {
    const { n, e } = jsSigned.jwk
    expect(`[owner:${opensshKey({ n, e })}]`).toBe(jsSigned.ownerTag)
  })
})

describe('Validation', () => {
  const validation = new Validation({
    limits: DEFAULT_HIVEMIND_LIMITS,
    validators: [],
    clock: () => signed.expirationTime - 60
  })
  const write = { ...signed, subkey: textOf(signed.subkey) }

  it('shows a protected value without its signature', async () => {
    const { value } = await validation.check(signed.key, write)
    expect(decodeValue(value as Uint8Array)).toEqual(decodeValue(submission.value))
  })

  it('refuses a forged one, though nobody asked for signatures', async () => {
    const { refusal } = await validation.check(signed.key, { ...write, value: submission.value })
    expect(refusal).toMatch(/0 signatures/)
  })

  it('refuses bytes that make readers in Python hang', async () => {
    const { refusal } = await validation.check(signed.key, {
      ...write,
      subkey: undefined,
      value: Uint8Array.of(1, 2)
    })
    expect(refusal).toMatch(/follow the value/)
  })
})
