import { describe, expect, it } from 'vitest'
import * as errors from '../../src/errors.ts'

describe.each(Object.entries(errors))('%s', (name, Kind) => {
  it('has its name as a static and an instance property (R10, R12, R14)', () => {
    const error = new Kind('a message', { cause: 'a cause' })

    expect(Kind.name).toBe(name)
    expect(error.name).toBe(name)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ message: 'a message', cause: 'a cause' })
  })
})
