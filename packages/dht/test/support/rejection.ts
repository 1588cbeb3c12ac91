/** Resolves with the error of a call that is expected to fail. */
export async function rejection(call: Promise<unknown>): Promise<Error> {
  const [outcome] = await Promise.allSettled([call])

  if (outcome?.status === 'rejected' && outcome.reason instanceof Error) {
    return outcome.reason
  }

  throw new Error('the call went well')
}
