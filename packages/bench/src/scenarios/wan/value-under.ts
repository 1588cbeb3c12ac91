/** What is stored under a key, so that whoever reads it can tell whether it is right. */
export function valueUnder(key: string): string {
  return `the value of ${key}`
}
