import { every } from '../timing/every.ts'
import type { RecordStore } from './record-store.ts'

/** Milliseconds between two sweeps. Expired records are never returned in the meantime. */
export const SWEEP_INTERVAL_MS = 10_000

/**
 * Removes expired records from stores at regular intervals, until the signal is aborted. `beforeSweep` checks
 * whether the clock is trusted.
 */
export function sweepRegularly(
  stores: readonly (RecordStore | undefined)[],
  lifetime: AbortSignal,
  beforeSweep: () => void = () => {}
): void {
  const sweep = (store: RecordStore | undefined): void => {
    if (!lifetime.aborted && store?.sweep()) {
      // More records are due. Other work runs in between.
      setTimeout(sweep, 0, store)
    }
  }
  const sweepAll = (): void => {
    beforeSweep()
    stores.forEach(sweep)
  }
  every(SWEEP_INTERVAL_MS, sweepAll, lifetime)
}
