import { webRTCTransport } from '#webrtc-transport'
import { assertOptions, assertThat } from '../option-checks.ts'
import { createPageParts, type Pages } from '../pages/pages.ts'
import type { WebRTCOptions } from './webrtc-transport-init.ts'

/**
 * Lets this page connect to other pages of its network, through servers that relay (`serveRelay`), and go on with
 * them while no server is left.
 *
 * `DHT.create({ initialPeers, pages: webRTC() })`
 *
 * @throws TypeError where there is no WebRTC: in workers, and outside of browsers
 */
export function webRTC(options: WebRTCOptions = {}): Pages {
  assertOptions('webRTC()', options, {
    iceServers: { assert: assertList }
  })
  return { transport: webRTCTransport(options), join: createPageParts }
}

function assertList(value: unknown, option: string): void {
  assertThat(Array.isArray(value), option, 'an array of { urls }', value)
}
