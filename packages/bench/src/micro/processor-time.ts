/** So many different inputs take turns, that none is in the processor's cache for being the only one. */
const VARIANTS = 64

/** How often something is measured, and how long at least. */
const ROUNDS = { count: 9, ms: 30 }

/** Kept, so that no call can be left out for having none. */
export let result: unknown

/** Prints what each call takes, in nanoseconds, of those whose names contain all words of the command line. */
export function report(calls: Readonly<Record<string, (i: number) => unknown>>): void {
  for (const [name, call] of Object.entries(calls)) {
    if (process.argv.slice(2).every((word) => name.includes(word))) {
      process.stdout.write(`${name.padEnd(40)}${nanoseconds(call).toFixed(0).padStart(9)}\n`)
    }
  }
}

/** Inputs that are made before anything is measured. */
export function variants<T>(make: (i: number) => T): T[] {
  return Array.from({ length: VARIANTS }, (_, i) => make(i))
}

/** One of them. */
export function pick<T>(from: readonly T[], i: number): T {
  return from[i % VARIANTS] as T
}

/** What a call takes: in the fastest round, and of processor time, as others use this machine, too. */
function nanoseconds(call: (i: number) => unknown): number {
  let count = 100

  while (cpuMs(call, count) < ROUNDS.ms) {
    count *= 2
  }

  const times = Array.from({ length: ROUNDS.count }, () => cpuMs(call, count))
  return (Math.min(...times) / count) * 1e6
}

function cpuMs(call: (i: number) => unknown, count: number): number {
  const before = process.cpuUsage()

  for (let i = 0; i < count; i++) {
    result = call(i)
  }

  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
