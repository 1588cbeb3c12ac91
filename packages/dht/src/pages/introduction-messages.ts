import { PEER_ID } from '../wire/fields.ts'
import { MAX_PEER_ID_BYTES } from '../wire/limits.ts'
import { flag, list, type MessageCodec, messages } from '../wire/schema.ts'

/** The protocol's id in the default network; see {@link protocolIdIn}. */
export const INTRODUCTION_PROTOCOL = '/waggle/introduction/1.0.0'

/** Pages that a relay introduces at once. */
export const MAX_INTRODUCED = 20

/** Bytes of the largest message. */
export const MAX_INTRODUCTION_BYTES: number = 2 + MAX_INTRODUCED * (2 + MAX_PEER_ID_BYTES)

export type IntroductionMessage =
  /** Asks for pages, and says whether others reach this one through the relay. */
  | { readonly name: 'introduce'; readonly isReachable: boolean }
  /** The ids of pages. Their addresses lead through the relay that names them. */
  | { readonly name: 'introduced'; readonly peers: readonly Uint8Array[] }

/** The messages of the introduction protocol; docs/network.md describes them. */
export const INTRODUCTION: MessageCodec<IntroductionMessage> = messages<IntroductionMessage>({
  introduce: [0, { isReachable: flag('request to introduce pages') }],
  introduced: [1, { peers: list(PEER_ID, MAX_INTRODUCED) }]
})
