import { describe, expect, it } from 'vitest'
import { programFor } from '../../src/run.ts'
import { suggestion } from '../../src/text/suggestion.ts'
import { testIO } from '../support/test-io.ts'

const commands = programFor(testIO(), false).commander.commands.map((command) => command.name())

describe('suggestion', () => {
  it.each([
    ['put', 'store'],
    ['set', 'store'],
    ['pt', 'store'],
    ['rmm', 'delete'],
    ['xx', undefined],
    ['putt', 'store'],
    ['sotre', 'store'],
    ['rm', 'delete'],
    ['del', 'delete'],
    ['dlete', 'delete'],
    ['remov', 'delete'],
    ['gte', 'get'],
    ['wach', 'watch'],
    ['sub', undefined],
    ['xyzzy', undefined],
    ['', undefined]
  ])('takes %s for %s', (word, command) => {
    expect(suggestion(word, commands)).toBe(command)
  })

  it('prefers a command to the words of other tools', () => {
    expect(commands.map((name) => suggestion(name, commands))).toEqual(commands)
  })

  it('recognises a command with two neighbours swapped', () => {
    const swapped = commands
      .filter(({ length }) => length > 2)
      .map((name) => name.slice(0, -2) + name.at(-1) + name.at(-2))
    expect(swapped.map((word) => suggestion(word, commands))).toEqual(
      commands.filter(({ length }) => length > 2)
    )
  })
})
