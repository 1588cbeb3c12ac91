export async function guard(_commit: string, _options: object): Promise<number> {
  return 0
}
