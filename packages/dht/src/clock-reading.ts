import type { DHTTime } from '@waggle/record'
import { MAX_CLOCK_SKEW } from '@waggle/record/replica'

/** What a peer's clock showed, and ours at the same moment, as nearly as a message can tell. */
export interface ClockReading {
  readonly peerTime: DHTTime
  readonly localTime: DHTTime

  /** Milliseconds by which the peer's clock is ahead of ours; negative if it is behind. */
  readonly skewMs: number

  /** Milliseconds by which `skewMs` may be wrong at most: half of the time that asking took. */
  readonly uncertaintyMs: number
}

/** A question sent at a time of our clock, and what came back after so many milliseconds. */
export interface ClockAnswer {
  readonly askedAt: DHTTime
  readonly tookMs: number
  readonly peerTime: DHTTime
}

/** The peer's time is that of some moment between question and answer: as NTP does, we take the middle. */
export function clockReading({ askedAt, tookMs, peerTime }: ClockAnswer): ClockReading {
  const localTime = askedAt + tookMs / 2000
  return {
    peerTime,
    localTime,
    skewMs: (peerTime - localTime) * 1000,
    uncertaintyMs: tookMs / 2
  }
}

/** Whether the clocks differ by more than records can stand, however long the message was on its way. */
export function isSkewed({ skewMs, uncertaintyMs }: ClockReading): boolean {
  return Math.abs(skewMs) - uncertaintyMs > MAX_CLOCK_SKEW * 1000
}

/** Undefined of none; of an even number, the mean of the two in the middle. */
export function median(values: Iterable<number>): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.floor(sorted.length / 2)]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}

/** What two clocks show, in words, with what the two times are. */
export function describeSkew({ peerTime, localTime, skewMs, uncertaintyMs }: ClockReading): string {
  const seconds = Math.abs(skewMs / 1000).toFixed(1)
  const precision = (uncertaintyMs / 1000).toFixed(3)
  return `it shows ${shown(peerTime)} while ours shows ${shown(localTime)}: ${seconds} s ${skewMs > 0 ? 'more' : 'less'} (± ${precision} s), where ${MAX_CLOCK_SKEW} s are allowed`
}

/** What the owner of a wrong clock can do about it. */
export const CLOCK_ADVICE =
  'Set the clock and keep it right by NTP (systemd: timedatectl set-ntp true; a virtual machine or WSL that has slept: hwclock -s)'

function shown(time: DHTTime): string {
  const date = new Date(time * 1000)
  return Number.isNaN(date.getTime()) ? `${time}` : date.toISOString()
}
