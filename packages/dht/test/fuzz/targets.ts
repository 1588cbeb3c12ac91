import { hivemindTargets } from '../../../hivemind/test/fuzz/targets.ts'
import type { Target } from './fuzzer.ts'
import { addressTargets } from './targets/addresses.ts'
import { gatewayTargets } from './targets/gateways.ts'
import { messageTargets } from './targets/messages.ts'
import { ownerTargets } from './targets/owners.ts'
import { questionTargets } from './targets/questions.ts'
import { recordTargets } from './targets/records.ts'

/** All functions that read bytes of strangers. */
export const targets: readonly Target[] = [
  ...recordTargets,
  ...ownerTargets,
  ...messageTargets,
  ...questionTargets,
  ...addressTargets,
  ...gatewayTargets,
  ...hivemindTargets
]
