import { afterEach, describe, expect, it } from 'vitest'
import { assertNode } from '../../src/runtime.ts'

const { withResolvers } = Promise

afterEach(() => {
  Promise.withResolvers = withResolvers
})

describe('assertNode', () => {
  it('accepts a Node that has what libp2p uses', () => {
    expect(assertNode).not.toThrow()
  })

  it('names the version that is needed where it is missing', () => {
    Reflect.deleteProperty(Promise, 'withResolvers')
    expect(assertNode).toThrow(/^Waggle needs Node 22\.12 or newer, and this is \d+\.\d+/)
  })
})
