import type { KadDHT } from '@libp2p/kad-dht'

type Mode = 'client' | 'server'

/**
 * Follows whether kad-dht is a client or a server. kad-dht or the application may change it while the node runs.
 */
export class ModeSwitch {
  #onChange: ((mode: Mode) => Promise<void>) | undefined
  #changes: Promise<void> = Promise.resolve()

  constructor(kad: KadDHT) {
    const setMode = kad.setMode.bind(kad)
    const followed: KadDHT['setMode'] = async (mode, options) => {
      const before = kad.getMode()
      await setMode(mode, options)

      if (kad.getMode() !== before) {
        await this.#queueChange(kad.getMode())
      }
    }
    Object.defineProperty(kad, 'setMode', { value: followed, configurable: true, writable: true })
  }

  /** Calls back, one change after the other, until the signal is aborted. */
  follow(onChange: (mode: Mode) => Promise<void>, signal: AbortSignal): void {
    this.#onChange = onChange
    signal.addEventListener('abort', () => {
      this.#onChange = undefined
    })
  }

  #queueChange(mode: Mode): Promise<void> {
    this.#changes = this.#changes.catch(() => {}).then(() => this.#onChange?.(mode))
    return this.#changes
  }
}
