import { type Contestant, isInstalled } from '../../systems/contestants.ts'

/** Why a system has no figures. */
export function absence(contestant: Contestant): string {
  return isInstalled(contestant) ? 'did not finish' : 'not installed'
}
