/** A network in one process, of which a part lies. */
import { answerCalls } from '../../calls/answer-calls.ts'
import type { Lie } from './liar.ts'
import { LyingNetwork, type Readings } from './lying-network.ts'

export interface LyingCalls {
  /** Resolves when so many nodes know their way. */
  start(nodes: number): Promise<void>

  /** Has more nodes lie, until there are so many, and reads so many records. */
  measure(options: { lie: Lie; liars: number; reads: number }): Promise<Readings>
}

const network = new LyingNetwork()

answerCalls<LyingCalls>({
  start: (nodes) => network.start(nodes),
  async measure({ lie, liars, reads }) {
    await network.corrupt(lie, liars)
    return network.read(reads)
  }
})
