import process from 'node:process'

const NOBODY = 65_534

/** Runs a function without the rights of root, who may write anywhere. */
export async function asOrdinaryUser<T>(act: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) {
    return act()
  }

  process.seteuid?.(NOBODY)

  try {
    return await act()
  } finally {
    process.seteuid?.(0)
  }
}
