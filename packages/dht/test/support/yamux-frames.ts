/** Types of frames (hashicorp/yamux spec, "Framing"). */
export const WINDOW_UPDATE = 1
export const PING = 2
export const GO_AWAY = 3

const HEAD_BYTES = 12

export interface Frame {
  readonly type: number
  readonly flags?: number
  readonly stream: number

  /** Length of the content; in a window update, the bytes that may be sent in addition. */
  readonly length: number
}

/** Makes a frame without content. */
export function headFrame({ type, flags = 0, stream, length }: Frame): Uint8Array {
  const frame = Buffer.alloc(HEAD_BYTES)
  frame.writeUInt8(type, 1)
  frame.writeUInt16BE(flags, 2)
  frame.writeUInt32BE(stream, 4)
  frame.writeUInt32BE(length, 8)
  return new Uint8Array(frame)
}

export function windowUpdate(stream: number, bytes: number, flags = 0): Uint8Array {
  return headFrame({ type: WINDOW_UPDATE, flags, stream, length: bytes })
}

export function dataFrame(stream: number, data: Uint8Array): Uint8Array {
  const head = headFrame({ type: 0, stream, length: data.length })
  return new Uint8Array(Buffer.concat([head, data]))
}

export function flagsOf(frame: Uint8Array): number {
  return Buffer.from(frame).readUInt16BE(2)
}

/** Reads the heads of all frames in some pieces of whole frames. */
export function readFrames(pieces: Iterable<Uint8Array>): Frame[] {
  const frames: Frame[] = []

  for (const piece of pieces) {
    const bytes = Buffer.from(piece)

    for (let at = 0; at < bytes.length; ) {
      const frame = {
        type: bytes.readUInt8(at + 1),
        flags: bytes.readUInt16BE(at + 2),
        stream: bytes.readUInt32BE(at + 4),
        length: bytes.readUInt32BE(at + 8)
      }
      frames.push(frame)
      at += HEAD_BYTES + (frame.type === 0 ? frame.length : 0)
    }
  }

  return frames
}
