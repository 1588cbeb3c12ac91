import type { MessageStream } from '@libp2p/interface'

/** Whether an object sends as a libp2p 3 message stream does, so that its `send` can be replaced. */
export function isSender(stream: unknown): stream is MessageStream {
  return ['send', 'close', 'abort'].every(
    (method) => typeof Reflect.get(Object(stream), method) === 'function'
  )
}
