import type { DHTTime } from '@waggle/record'
import { MAX_CLOCK_SKEW } from '@waggle/record/replica'

/** Milliseconds of uncertainty up to which a reading is precise: a third of the difference that matters. */
const MAX_UNCERTAINTY_MS = (MAX_CLOCK_SKEW * 1000) / 3

/** A peer's clock and this node's at the same moment, as nearly as a message can determine. */
export interface ClockReading {
  readonly peerTime: DHTTime
  readonly localTime: DHTTime

  /** Milliseconds by which the peer's clock is ahead of this node's. Negative if it is behind. */
  readonly skewMs: number

  /** Maximum error of `skewMs` in milliseconds: half of the round trip. */
  readonly uncertaintyMs: number
}

/** The time of a request by this node's clock, and the round trip and the content of its response. */
export interface ClockAnswer {
  readonly askedAt: DHTTime
  readonly tookMs: number
  readonly peerTime: DHTTime
}

/** Compares two clocks. The peer read its clock at some moment of the round trip; as in NTP, the middle is taken. */
export function clockReading({ askedAt, tookMs, peerTime }: ClockAnswer): ClockReading {
  const localTime = askedAt + tookMs / 2000
  return {
    peerTime,
    localTime,
    skewMs: (peerTime - localTime) * 1000,
    uncertaintyMs: tookMs / 2
  }
}

/** Whether the clocks differ by more than records tolerate, allowing for the round trip. */
export function isSkewed({ skewMs, uncertaintyMs }: ClockReading): boolean {
  return Math.abs(skewMs) - uncertaintyMs > MAX_CLOCK_SKEW * 1000
}

/**
 * Whether a reading counts: it is precise, or the clocks differ in any case. A response that took many seconds, as at
 * a host that was held up, makes two equal clocks look as many seconds apart.
 */
export function isTelling(reading: ClockReading): boolean {
  return reading.uncertaintyMs <= MAX_UNCERTAINTY_MS || isSkewed(reading)
}

/** Returns the median: of an even number of values, the mean of the middle two; of none, undefined. */
export function median(values: Iterable<number>): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.floor(sorted.length / 2)]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}

/** Describes the difference of two clocks in words. */
export function describeSkew({ peerTime, localTime, skewMs, uncertaintyMs }: ClockReading): string {
  const seconds = Math.abs(skewMs / 1000).toFixed(1)
  const precision = (uncertaintyMs / 1000).toFixed(3)
  return `it shows ${shown(peerTime)} while ours shows ${shown(localTime)}: ${seconds} s ${skewMs > 0 ? 'more' : 'less'} (± ${precision} s), where ${MAX_CLOCK_SKEW} s are allowed`
}

/** Advice for the owner of a wrong clock. */
export const CLOCK_ADVICE =
  'Set the clock and keep it right by NTP (systemd: timedatectl set-ntp true; a virtual machine or WSL that has slept: hwclock -s)'

function shown(time: DHTTime): string {
  const date = new Date(time * 1000)
  return Number.isNaN(date.getTime()) ? `${time}` : date.toISOString()
}
