/** An attacker in a process of its own, which attacks until it is told to stop, and then reports. */
import process from 'node:process'
import { Attacker } from './attacker.ts'
import { type AttackName, attackCalled } from './attacks.ts'
import { giveWay } from './give-way.ts'

const [, , name = '', ...victim] = process.argv
giveWay()

const controller = new AbortController()
const attacker = await Attacker.start(victim, controller.signal)

process.on('message', () => controller.abort())
// The parent process has ended.
process.on('disconnect', () => process.exit())
void attacker.begun.then(() => process.send?.('begun'))

await attackCalled(name as AttackName).run(attacker)
process.send?.(await attacker.report())
process.disconnect()
