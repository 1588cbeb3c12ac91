/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Addresses of servers, separated by commas. */
  readonly VITE_INITIAL_PEERS: string
}
