import { inspect } from 'node:util'

/** Tells the story, and remembers whether all of it came true. */
export class Narrator {
  #scenes = 0
  #isTrue = true

  /** Whether everything claimed so far was so. */
  get isTrue(): boolean {
    return this.#isTrue
  }

  scene(title: string): void {
    this.#scenes++
    console.log(`\n${this.#scenes}. ${title}`)
  }

  /** What somebody does, and whether it turned out as promised. */
  line(who: string, what: string, isAsPromised = true): void {
    this.#isTrue &&= isAsPromised
    console.log(`   ${who.padEnd(6)} ${what}${isAsPromised ? '' : '   ✗ NOT AS PROMISED'}`)
  }

  aside(text: string): void {
    console.log(`   ${text}`)
  }
}

/** A value as a programmer would write it, on one line. */
export function shown(value: unknown): string {
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY })
}
