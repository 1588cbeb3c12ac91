/** A server near a key, as known at the end of a lookup. */
export interface NearServer {
  readonly name: string
  readonly hasResponded: boolean

  /** Names of the servers nearest to the key in its response; undefined if the response has none. */
  readonly named?: ReadonlySet<string> | undefined
}

/**
 * Whether enough of a key's nearest servers have responded that a key which none of them holds is absent (N11):
 * more than half of the `numReplicas` nearest. Two such majorities share a server, so a read that reached one finds
 * a write that reached the other.
 *
 * Servers that did not respond count, since they may hold the record, but only if at least half of the nearest
 * responding servers list them. So a server that has left stops counting as soon as its neighbours notice, and one
 * liar cannot invent unreachable servers.
 *
 * @param servers - nearest first
 */
export function hasQuorum(servers: readonly NearServer[], numReplicas: number): boolean {
  const nearest = presentServers(servers, numReplicas)
  const responded = nearest.filter(({ hasResponded }) => hasResponded).length
  return 2 * responded > nearest.length
}

/** Returns the `numReplicas` nearest servers that count. */
export function presentServers<S extends NearServer>(
  servers: readonly S[],
  numReplicas: number
): S[] {
  const witnesses = servers.filter(({ named }) => named !== undefined).slice(0, numReplicas)
  return servers
    .filter((one) => one.hasResponded || isNamed(one.name, witnesses))
    .slice(0, numReplicas)
}

function isNamed(name: string, witnesses: readonly NearServer[]): boolean {
  const votes = witnesses.filter(({ named }) => named?.has(name)).length
  return votes > 0 && 2 * votes >= witnesses.length
}
