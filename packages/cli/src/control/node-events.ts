import type { DHT } from '@waggle/dht'
import { shownDuration } from '../text/time.ts'

/** Events kept. */
const MAX_EVENTS = 50

/** An event of a node, in a sentence. */
export interface NodeEvent {
  /** Unix time in seconds. */
  readonly time: number
  readonly tone: 'good' | 'bad' | 'info'
  readonly text: string
}

/** Keeps the last events of a node, newest first. */
export class NodeEvents {
  #events: readonly NodeEvent[] = []

  constructor(dht: DHT) {
    this.#add('info', 'The node started')
    this.#followPeers(dht)
    this.#followMachine(dht)
  }

  get list(): readonly NodeEvent[] {
    return this.#events
  }

  #followPeers(dht: DHT): void {
    dht.addEventListener('peer:found', ({ detail }) => {
      this.#add('good', `The server ${detail} was found`)
    })
    dht.addEventListener('peer:lost', ({ detail }) => {
      this.#add('info', `The server ${detail} has left, or does not answer any more`)
    })
  }

  #followMachine(dht: DHT): void {
    dht.addEventListener('clock:skew', ({ detail: { peerId, skewMs } }) => {
      const seconds = shownDuration(Math.abs(skewMs) / 1000)
      const way = skewMs < 0 ? 'behind' : 'ahead of'
      this.#add('bad', `The clock of ${peerId} is ${seconds} ${way} this machine's`)
    })
    dht.addEventListener('node:wake', ({ detail: { sleptMs } }) => {
      this.#add('info', `The machine slept for ${shownDuration(sleptMs / 1000)}`)
    })
    dht.addEventListener('disk:state', ({ detail: { state, error } }) => {
      const isWell = state === 'ok'
      this.#add(
        isWell ? 'good' : 'bad',
        isWell
          ? 'The disk works again'
          : `The disk fails: ${error?.message ?? 'no reason is known'}`
      )
    })
    dht.addEventListener('disk:shared', () => {
      this.#add('bad', 'Another node uses the same datastore: each overwrites what the other holds')
    })
  }

  #add(tone: NodeEvent['tone'], text: string): void {
    this.#events = [{ time: Date.now() / 1000, tone, text }, ...this.#events].slice(0, MAX_EVENTS)
  }
}
