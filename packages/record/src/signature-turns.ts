import { fastVerify } from './native-ed25519.ts'
import { assertSigned, type SignedEntry } from './signature.ts'

/** How long signatures are verified in one turn of the event loop, of all records together. */
const TURN_MS = 2

const afterThisTurn: (task: () => void) => void =
  typeof setImmediate === 'function' ? setImmediate : (task) => setTimeout(task)

let spentMs = 0
let nextTurn: Promise<void> | undefined

/**
 * Verifies signatures without keeping other work waiting for longer than a few milliseconds.
 *
 * Rejects as {@link assertSigned} throws.
 */
export async function assertAllSigned(signed: readonly SignedEntry[]): Promise<void> {
  for (const one of signed) {
    while (spentMs > TURN_MS) {
      await untilNextTurn()
    }

    const startMs = performance.now()

    try {
      assertSigned(one, fastVerify)
    } finally {
      spend(performance.now() - startMs)
    }
  }
}

function spend(ms: number): void {
  spentMs += ms
  void untilNextTurn()
}

/** All who wait for it share what there is in it. */
function untilNextTurn(): Promise<void> {
  nextTurn ??= new Promise((resolve) => {
    afterThisTurn(() => {
      spentMs = 0
      nextTurn = undefined
      resolve()
    })
  })
  return nextTurn
}
