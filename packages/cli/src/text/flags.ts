/** Command-line names of the libraries' options. The libraries' messages contain the options' names in code. */
export const FLAGS: Readonly<Record<string, string>> = {
  announce: '--announce',
  clientMode: '--client',
  count: '--count',
  dataDir: '--data-dir',
  durability: '--durability',
  expirationTime: '--expiration-time',
  identityPath: '--identity',
  initialPeers: '--initial-peers',
  latest: '--latest',
  listenOn: '--listen-on',
  numReplicas: '--num-replicas',
  privateKey: '--identity',
  protocol: '--protocol',
  relay: '--relay',
  renewals: '--renewals',
  requireBootstrap: '--require-bootstrap',
  serveGateway: '--no-serve-gateway',
  serveRelay: '--serve-relay',
  strictClock: '--strict-clock',
  subkey: '--subkey',
  swarmKey: '--swarm-key',
  timeoutMs: '--timeout',
  ttl: '--ttl'
}

/** Words for the libraries' names that have no flag. */
const WORDS: Readonly<Record<string, string>> = {
  bootstrapTimeoutMs: 'time limit',
  ownerTag: 'owner tag',
  requestTimeoutMs: 'the time limit of a request'
}

/** Names that are not English words: they mean options anywhere in a message. */
const NAMES = [...Object.keys(FLAGS), ...Object.keys(WORDS)].filter((name) => /[A-Z]/.test(name))

/** Names that are also English words: they mean options at the beginning of a message and in lists of options. */
const NAMES_OR_WORDS = Object.keys(FLAGS).filter((name) => !NAMES.includes(name))

const NAMED = new RegExp(
  `(?<![-./\\w])(?:${NAMES.join('|')}|(?<=^|combined with |leave out |, or )(?:${NAMES_OR_WORDS.join('|')}))(?!-|\\.?\\w)`,
  'g'
)

/** Advice that does not apply to commands. */
const FOR_PROGRAMS = /, (?:or )?(?:pass )?strict: false to join all the same/g

/** Replaces the libraries' option names in a message by those of the command line. */
export function withFlags(message: string): string {
  return message
    .replace(FOR_PROGRAMS, '')
    .replace(NAMED, (name) => FLAGS[name] ?? WORDS[name] ?? name)
}
