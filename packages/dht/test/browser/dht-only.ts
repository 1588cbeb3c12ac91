// The smallest page: its bundle is what the budget is for.
export { DHT } from '@waggle/dht'
