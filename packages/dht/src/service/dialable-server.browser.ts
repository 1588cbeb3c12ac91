/** Nobody dials a page. */
export async function serveAsDialable(): Promise<void> {}
