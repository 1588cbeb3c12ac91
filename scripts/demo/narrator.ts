import { inspect } from 'node:util'

/** Prints the story, and records whether every claim was true. */
export class Narrator {
  #scenes = 0
  #isTrue = true

  /** Whether every claim so far was true. */
  get isTrue(): boolean {
    return this.#isTrue
  }

  scene(title: string): void {
    this.#scenes++
    console.log(`\n${this.#scenes}. ${title}`)
  }

  /** Prints an action, and whether it turned out as promised. */
  line(who: string, what: string, isAsPromised = true): void {
    this.#isTrue &&= isAsPromised
    console.log(`   ${who.padEnd(6)} ${what}${isAsPromised ? '' : '   ✗ NOT AS PROMISED'}`)
  }

  aside(text: string): void {
    console.log(`   ${text}`)
  }
}

/** Formats a value in JavaScript's syntax on one line. */
export function shown(value: unknown): string {
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY })
}
