/** Milliseconds by which a timer may be late before the process counts as held up by other work. */
const HELD_UP_MS = 100

/** Runs a task when the present turn of the event loop has handled all input that was there and what callers did next. */
export const atEndOfTurn: (task: () => void) => void =
  typeof setImmediate === 'function' ? setImmediate : afterMessages()

/** A message to oneself comes when the present task has ended: in browsers, the nearest thing to the end of a turn. */
function afterMessages(): (task: () => void) => void {
  const { port1: receiver, port2: sender } = new MessageChannel()
  const tasks: (() => void)[] = []
  receiver.addEventListener('message', () => tasks.shift()?.())
  receiver.start()
  return (task) => {
    tasks.push(task)
    sender.postMessage(undefined)
  }
}

/**
 * Runs a task when all microtasks have run that are due, and those that these cause. Where the
 * platform has no such moment, runs it at the end of the running turn.
 */
export function afterMicrotasks(task: () => void): void {
  // A tick that is asked for outside of a microtask comes before all of them.
  queueMicrotask(() => afterPresentMicrotasks(task))
}

const afterPresentMicrotasks = globalThis.process?.nextTick ?? atEndOfTurn

/**
 * Runs what a timer was set for. If the process was held up, input that has arrived meanwhile is
 * handled first: timers come before it, and an answer that is there is not late.
 */
export function afterInput(dueMs: number, task: () => void): void {
  if (performance.now() - dueMs > HELD_UP_MS) {
    atEndOfTurn(task)
  } else {
    task()
  }
}

/** Gives way to other work. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
