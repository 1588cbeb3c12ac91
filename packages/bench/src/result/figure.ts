/** Formats a number for readers: three significant digits, thousands separated. */
export function figure(value: number): string {
  const size = Math.abs(value)

  if (Number.isInteger(value) || size >= 100) {
    return Math.round(value).toLocaleString('en-US')
  }

  return size < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(size < 1 ? 2 : 3)))
}
