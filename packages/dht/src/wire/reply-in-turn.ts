import type { PeerId } from '@libp2p/interface'
import type { Scheduler } from '../admission/scheduler.ts'
import { toError } from '../errors.ts'
import { atEndOfTurn } from '../timing/end-of-turn.ts'
import type { FramedStream } from './framed-stream.ts'

export interface ReplyInit<M> {
  readonly stream: FramedStream<M>
  readonly peer: PeerId
  readonly scheduler: Scheduler

  /** Keys that the request asks about. */
  readonly keys: number

  /** Works out the reply, key by key. */
  readonly reply: Generator<undefined, M>
}

/**
 * Replies to a request in the peer's turns, in a protocol that has no word for being busy. The next
 * request is read when this one is answered, and in another turn, so that small ones come to an end, too.
 */
export function replyInTurn<M>({ stream, peer, scheduler, keys, reply }: ReplyInit<M>): void {
  const resume = stream.pause()
  scheduler
    .run({ peer: peer.toString(), keys, answer: reply, isWanted: () => stream.isOpen })
    .then((message) => message && stream.send(message))
    .catch((error: unknown) => stream.close(toError(error)))
    .finally(() => atEndOfTurn(resume))
}
