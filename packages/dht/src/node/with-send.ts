import type { MessageStream } from '@libp2p/interface'

type Send = MessageStream['send']

/** Whether an object sends as a libp2p 3 message stream does, so that {@link withSend} can wrap it. */
export function isSender(stream: unknown): stream is MessageStream {
  return ['send', 'close', 'abort'].every(
    (method) => typeof Reflect.get(Object(stream), method) === 'function'
  )
}

/**
 * Wraps a message stream so that it has another `send`. All other methods are called on the stream
 * itself, which keeps private state.
 */
export function withSend<S extends MessageStream>(
  stream: S,
  overrides: { send: Send } & Partial<Pick<S, 'close' | 'abort' | 'addEventListener'>>
): S {
  const bound = new Map<PropertyKey, unknown>()

  return new Proxy(stream, {
    get(target, name) {
      if (Object.hasOwn(overrides, name)) {
        return Reflect.get(overrides, name)
      }

      if (!bound.has(name)) {
        const member: unknown = Reflect.get(target, name, target)

        if (!isMethod(target, name, member)) {
          return member
        }

        bound.set(name, member.bind(target))
      }

      return bound.get(name)
    },
    set: (target, name, value) => Reflect.set(target, name, value, target)
  })
}

/** Leaves functions as they are that the stream merely holds, such as its logger. */
function isMethod(
  target: object,
  name: PropertyKey,
  member: unknown
): member is (...args: unknown[]) => unknown {
  return typeof member === 'function' && !Object.hasOwn(target, name)
}
