import { CalledProcess } from '../calls/called-process.ts'
import type { PeerCalls } from './peer-main.ts'

/** A DHT in a process of its own; it joins nothing before it is told to start. */
export type PeerProcess = CalledProcess<PeerCalls>

export function peerProcess(options: { signal: AbortSignal }): PeerProcess {
  return new CalledProcess(new URL('./peer-main.ts', import.meta.url), options)
}
