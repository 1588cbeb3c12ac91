/** Milliseconds by which a timer may be late before the process counts as blocked by other work. */
const HELD_UP_MS = 100

/** Runs a task when the current turn of the event loop has handled all available input and its callbacks. */
export const atEndOfTurn: (task: () => void) => void =
  typeof setImmediate === 'function' ? setImmediate : afterMessages()

/** A message to itself arrives after the current task: in browsers, the closest equivalent of the end of a turn. */
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
 * Runs a task after all pending microtasks, and those that these cause. If the platform has no such phase, runs it
 * at the end of the current turn.
 */
export function afterMicrotasks(task: () => void): void {
  // A tick requested outside of a microtask would run before all microtasks.
  queueMicrotask(() => afterPresentMicrotasks(task))
}

/** The tasks of {@link oneByOne} that have not begun. */
const waiting: (() => void)[] = []
let isTaskDue = false

/**
 * Runs tasks in microtasks, one by one: before each, all microtasks run that the one before it has queued. So the
 * first of several messages is encrypted and written before the next one is encoded, and its receiver works on it
 * meanwhile.
 */
export function oneByOne(task: () => void): void {
  waiting.push(task)
  scheduleNext()
}

function scheduleNext(): void {
  if (!isTaskDue && waiting.length > 0) {
    isTaskDue = true
    queueMicrotask(runNext)
  }
}

function runNext(): void {
  const task = waiting.shift()

  try {
    task?.()
  } finally {
    isTaskDue = false
    scheduleNext()
  }
}

const afterPresentMicrotasks = globalThis.process?.nextTick ?? atEndOfTurn

/**
 * Runs a timer's task. If the process was blocked, first handles input that has arrived meanwhile: timers run
 * before it, and an available response is not late.
 */
export function afterInput(dueMs: number, task: () => void): void {
  if (performance.now() - dueMs > HELD_UP_MS) {
    atEndOfTurn(task)
  } else {
    task()
  }
}

/** Yields to other work. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}
