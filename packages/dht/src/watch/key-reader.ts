import type { Found, MaybePromise, Subkey, Value } from '@waggle/record'
import { whenDone } from '@waggle/record/replica'
import type { StateListener, StateReader, WatchProgressEvent } from '../live/state.ts'
import { tell } from '../live/tell.ts'
import type { KeyState, KeyStates, SeenState } from './key-states.ts'

export interface KeyReaderInit {
  readonly states: KeyStates
  readonly listener: StateListener
  readonly onClose: (reader: KeyReader) => void
}

/** Follows the states of a watched key. */
export class KeyReader implements StateReader<Found | undefined, Subkey | undefined, Value> {
  readonly #init: KeyReaderInit
  #last: SeenState | undefined

  constructor(init: KeyReaderInit) {
    this.#init = init
  }

  /** Something may have changed. */
  look(): void {
    this.#init.listener.onChange()
  }

  report(event: WatchProgressEvent): void {
    tell(this.#init.listener.onProgress, event)
  }

  read(): MaybePromise<KeyState | undefined> {
    return whenDone(this.#init.states.after(this.#last), (state) => {
      this.#last = state
      return state
    })
  }

  close(): void {
    this.#init.onClose(this)
  }
}
