import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tagsIn, withoutTags } from '../../src/validators/tags.ts'

const HEAD = '[o:'

/** Python's pattern. */
const PATTERN = /\[o:([^\n]+?)\]/g

/** Few pieces, so that heads and ends often meet. */
const texts = fc
  .array(fc.constantFrom(HEAD, '[', ']', '\n', 'a', 'o:'), { maxLength: 12 })
  .map((pieces) => pieces.join(''))

describe('tagsIn', () => {
  it("finds what Python's pattern finds", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const found = Array.from(tagsIn(text, HEAD), ({ start, content }) => [start, content])
        const expected = Array.from(text.matchAll(PATTERN), ({ index, 1: content }) => [
          index,
          content
        ])
        expect(found).toEqual(expected)
      }),
      { numRuns: 2000 }
    )
  })

  it.each([
    ['without an end', HEAD.repeat(300_000)],
    ['whose line ends first', `${HEAD.repeat(300_000)}\n]`],
    ['each on a line of its own', `${HEAD}\n`.repeat(300_000)]
  ])('reads a text once, with many heads %s', (_, text) => {
    // It takes minutes to read the rest again for each of them.
    expect([...tagsIn(text, HEAD)]).toEqual([])
  })
})

describe('withoutTags', () => {
  it("leaves what Python's pattern leaves", () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(withoutTags(text, HEAD)).toBe(text.replace(PATTERN, ''))
      }),
      { numRuns: 2000 }
    )
  })
})
