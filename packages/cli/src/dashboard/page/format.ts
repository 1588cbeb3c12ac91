import { shownDuration } from '../../text/time.ts'

/** Shortens a peer id to its end, which distinguishes peers. */
export function shortId(id: string): string {
  return id.length > 12 ? `…${id.slice(-8)}` : id
}

/** Shortens the peer ids in a sentence. */
export function withShortIds(text: string): string {
  return text.replace(/\b(?:12D3KooW|Qm|16Uiu2)\w{30,}/g, shortId)
}

export function shownMs(ms: number | undefined): string {
  if (ms === undefined) {
    return '–'
  }

  // Round trips are measured in whole milliseconds.
  return ms === 0 ? '< 1 ms' : `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`
}

export function shownPerSecond(rate: number): string {
  const rounded = rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate)
  return `${rounded.toLocaleString('en')}/s`
}

/** Formats the time since an event. */
export function shownAgo(unixSeconds: number): string {
  return shownDuration(Math.max(Math.round(Date.now() / 1000 - unixSeconds), 0))
}
