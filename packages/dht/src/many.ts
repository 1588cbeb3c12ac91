import type { Wanted } from './interface.ts'

/** How the items of one big call are worked off. */
export interface ManyOptions<T> {
  /** Items under way at once. */
  readonly maxItems: number

  /** Nothing more is drawn once nobody wants the results. */
  readonly wanted?: Wanted | undefined

  /** What they may weigh together; a single one may weigh more. */
  readonly maxBytes: number
  readonly bytesOf: (item: T) => number
}

/**
 * Applies an async function to all items and keeps their order. Items are drawn as there is room,
 * so that a long iterable takes no more memory than what is under way, and its results.
 */
export function mapMany<T, U>(
  items: Iterable<T>,
  apply: (item: T, index: number) => Promise<U>,
  { wanted, maxItems, maxBytes, bytesOf }: ManyOptions<T>
): Promise<U[]> {
  return new Promise((resolve, reject) => {
    const results: U[] = []
    const iterator = items[Symbol.iterator]()
    let underWay = 0
    let bytesUnderWay = 0
    let drawn = 0
    let isDrawing = true

    function draw(): void {
      while (isDrawing && underWay < maxItems && bytesUnderWay < maxBytes) {
        if (wanted?.isWanted === false) {
          stopDrawing()
          return
        }

        const next = iterator.next()

        if (next.done === true) {
          isDrawing = false
          break
        }

        begin(next.value, drawn++)
      }

      if (!isDrawing && underWay === 0) {
        resolve(results)
      }
    }

    function begin(item: T, index: number): void {
      const bytes = bytesOf(item)
      underWay++
      bytesUnderWay += bytes
      apply(item, index).then((result) => {
        results[index] = result
        underWay--
        bytesUnderWay -= bytes
        guarded(draw)
      }, fail)
    }

    function fail(error: unknown): void {
      stopDrawing()
      reject(error)
    }

    /** As a loop does that is left early. */
    function stopDrawing(): void {
      if (isDrawing) {
        isDrawing = false
        iterator.return?.()
      }
    }

    /** Drawing an item may throw. */
    function guarded(step: () => void): void {
      try {
        step()
      } catch (error) {
        fail(error)
      }
    }

    guarded(draw)
  })
}
