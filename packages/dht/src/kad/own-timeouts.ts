import { type KadInternals, NO_PATH } from './internals.ts'

/**
 * Makes kad-dht leave the timeouts of Waggle's requests to their signals: a large record on a slow line may take
 * longer than any of kad-dht's own requests (N12).
 */
export function keepOwnTimeouts({ network }: Pick<KadInternals, 'network'>): void {
  const { timeout } = network

  if (timeout === undefined) {
    return
  }

  const signalOf = timeout.getTimeoutSignal.bind(timeout)
  timeout.getTimeoutSignal = ({ path, signal, ...options }) =>
    path === NO_PATH && signal != null
      ? Object.assign(AbortSignal.any([signal]), { start: Date.now(), clear: () => {} })
      : signalOf({ path, signal, ...options })
}
