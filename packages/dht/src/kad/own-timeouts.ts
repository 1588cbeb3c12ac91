import { type KadInternals, NO_PATH } from './internals.ts'

/**
 * Has kad-dht leave the time of Waggle's own requests to their signals: a large record may take longer on
 * a slow line than any of kad-dht's requests (N12).
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
