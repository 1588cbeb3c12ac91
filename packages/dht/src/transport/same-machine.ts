import { networkInterfaces } from 'node:os'

/** Milliseconds for which the addresses of this machine are remembered: asking for them takes a system call. */
const MEMORY_MS = 5_000

const IP = /^\/ip[46]\/(?:::ffff:)?([^/]+)\//
const LOOPBACK = /^127\.|^::1$/

let addresses: ReadonlySet<string> = new Set()
let untilMs = Number.NEGATIVE_INFINITY

/**
 * Whether a connection comes from this machine: from its loopback addresses, or from one of its network interfaces. A
 * page can dial either.
 */
export function isSameMachine(remoteAddr: string): boolean {
  const ip = IP.exec(remoteAddr)?.[1] ?? ''
  return LOOPBACK.test(ip) || ownAddresses(performance.now()).has(ip)
}

function ownAddresses(nowMs: number): ReadonlySet<string> {
  if (nowMs >= untilMs) {
    const all = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? [])
    addresses = new Set(all.map(({ address }) => address))
    untilMs = nowMs + MEMORY_MS
  }

  return addresses
}
