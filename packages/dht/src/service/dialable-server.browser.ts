/** A page serves no strangers. */
export async function serveAsDialable(): Promise<void> {}
