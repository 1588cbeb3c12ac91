import { DHT } from '@waggle/dht'
import { afterEach, describe, expect, it } from 'vitest'

describe('a runtime that is too old', () => {
  const { withResolvers } = Promise

  afterEach(() => {
    Promise.withResolvers = withResolvers
  })

  it('is named before anything is started', async () => {
    // Node 20 lacks this function.
    Reflect.deleteProperty(Promise, 'withResolvers')

    await expect(DHT.create()).rejects.toThrow(
      `Waggle needs Node 22.12 or newer, and this is ${process.versions.node}`
    )
  })
})
