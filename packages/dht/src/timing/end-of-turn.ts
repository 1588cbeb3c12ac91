/**
 * Runs a task when the present turn of the event loop has handled what came in: all answers that
 * have arrived, and whatever callers did next. Where there is no such moment, at the end of the
 * running task.
 */
export const atEndOfTurn: (task: () => void) => void =
  typeof setImmediate === 'function' ? setImmediate : queueMicrotask
