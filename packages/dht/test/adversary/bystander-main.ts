/** Uses as much of a processor as an attacker did, and attacks no peer: the control of a comparison. */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { giveWay } from './give-way.ts'

/** Milliseconds of work in one go: about the time of an attacker for its next messages. */
const SLICE_MS = 3

let share = 0
let isDone = false
giveWay()

process.on('message', (message: number | 'stop') => {
  if (message === 'stop') {
    isDone = true
  } else {
    share = message
  }
})
// The parent process has ended.
process.on('disconnect', () => process.exit())
process.send?.('begun')

while (!isDone) {
  const startMs = performance.now()

  while (performance.now() - startMs < SLICE_MS * Math.min(share, 1)) {
    // That is what it is for.
  }

  await sleep(Math.max(SLICE_MS * (1 - share), 1))
}

process.send?.({ attempts: 0, answers: {}, isConnected: false })
process.disconnect()
