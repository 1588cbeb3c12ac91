import { type DHTTime, type Limits, parseRecordKey } from '@waggle/record'
import type { TypedEventEmitter } from 'main-event'
import type { DHTEvents } from '../events.ts'
import type { Meter } from '../metrics/meter.ts'
import { keyOf } from '../store/record-store.ts'
import type { StoreObserver } from '../store/store-listeners.ts'

/**
 * Dispatches events about a store's records. Without listeners a write costs one check. The limits
 * must be the store's own: its records are within these, and an exception here ends the process.
 */
export function recordEvents(
  events: TypedEventEmitter<DHTEvents>,
  limits: Limits,
  meter?: Meter
): StoreObserver {
  const tell = (
    type: 'record:stored' | 'record:expired',
    name: string,
    expirationTime: DHTTime
  ) => {
    if (events.listenerCount(type) > 0) {
      const detail = { key: parseRecordKey(keyOf(name), limits), expirationTime }
      events.safeDispatchEvent(type, { detail })
    }
  }

  return {
    onStored(name, expirationTime) {
      meter?.record('stored')
      tell('record:stored', name, expirationTime)
    },
    onExpired(name, expirationTime) {
      meter?.record('expired')
      tell('record:expired', name, expirationTime)
    }
  }
}
