import { SERVICE, type Waggle } from './service-interface.ts'

/** Finds the Waggle service among a node's services, whatever its name there. */
export function findWaggle(services: object): Waggle | undefined {
  return Object.values(services).find(
    (service): service is Waggle => service?.[Symbol.toStringTag] === SERVICE
  )
}
