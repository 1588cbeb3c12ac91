/** Numbers for keys that nobody has used yet. */
export class KeyNumbers {
  #next = 0

  take(count: number): number[] {
    return Array.from({ length: count }, () => this.#next++)
  }
}
