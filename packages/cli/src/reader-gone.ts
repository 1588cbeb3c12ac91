import { fstatSync } from 'node:fs'
import process from 'node:process'
import { setImmediate as endOfTurn, setTimeout as sleep } from 'node:timers/promises'
import type { WASI } from 'node:wasi'

/** Missing from Node's types. */
declare const WebAssembly: {
  readonly Memory: new (init: { initial: number }) => { readonly buffer: ArrayBuffer }
}

/** Milliseconds between two polls of the pipe. */
const POLL_INTERVAL_MS = 500

/** Nanoseconds that a poll waits: with zero, libuv does not poll at all. */
const WAIT_NS = 1_000_000n

/** Addresses of the arguments of `poll_oneoff`, and sizes of its structs (WASI preview 1). */
const SUBSCRIPTIONS = { at: 0, bytes: 48 }
const EVENTS = { at: 96, bytes: 32 }
const EVENT_COUNT_AT = 160

const CLOCK = { tag: 0, monotonic: 1, tagAt: 8, idAt: 16, timeoutAt: 24 }
const FD_READ = { tag: 1, tagAt: 8, fdAt: 16 }
const ERROR_AT = 8
const TYPE_AT = 10

/**
 * Waits until the last reader of a pipe has gone, as `head` does. A write would fail then, but a command that waits
 * for changes may have nothing to write. WASI has the only `poll` in Node. Never ends for other kinds of output,
 * and keeps no process alive.
 */
export async function readerGone(fd: number): Promise<void> {
  const pause = (): Promise<void> => sleep(POLL_INTERVAL_MS, undefined, { ref: false })

  if (!fstatSync(fd).isFIFO()) {
    return new Promise(() => {})
  }

  // Most commands end before this and need not load the module.
  await pause()

  for (const isGone = await pollOf(fd); !isGone(); ) {
    await pause()
  }
}

/** Returns a function that polls whether the reader has gone. */
async function pollOf(fd: number): Promise<() => boolean> {
  const WASIClass = await quietly(async () => (await import('node:wasi')).WASI)
  const wasi: WASI = new WASIClass({ version: 'preview1', stdout: fd })
  const memory = new WebAssembly.Memory({ initial: 1 })
  wasi.initialize({ exports: { memory } })
  const view = new DataView(memory.buffer)
  const { at, bytes } = SUBSCRIPTIONS
  view.setUint8(at + FD_READ.tagAt, FD_READ.tag)
  // WASI's number of the standard output.
  view.setUint32(at + FD_READ.fdAt, 1, true)
  view.setUint8(at + bytes + CLOCK.tagAt, CLOCK.tag)
  view.setUint32(at + bytes + CLOCK.idAt, CLOCK.monotonic, true)
  view.setBigUint64(at + bytes + CLOCK.timeoutAt, WAIT_NS, true)

  const { poll_oneoff: poll } = wasi.wasiImport

  return () => {
    const failed = poll(at, EVENTS.at, 2, EVENT_COUNT_AT)
    const count = failed ? 0 : view.getUint32(EVENT_COUNT_AT, true)
    // The writing end never becomes readable: an event for it means that the reading end is closed.
    return Array.from({ length: count }, (_, i) => EVENTS.at + i * EVENTS.bytes).some(
      (event) =>
        view.getUint8(event + TYPE_AT) === FD_READ.tag && view.getUint16(event + ERROR_AT, true) > 0
    )
  }
}

/** Runs an import without Node's warning that the module is experimental, which users can't act on. */
async function quietly<T>(load: () => Promise<T>): Promise<T> {
  const listeners = process.listeners('warning')
  process.removeAllListeners('warning')
  const loaded = await load()
  await endOfTurn()

  for (const listener of listeners) {
    process.on('warning', listener)
  }

  return loaded
}
