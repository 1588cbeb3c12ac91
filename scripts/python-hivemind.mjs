// Finds or sets up Python with Hivemind, for `npm run test:hivemind` and the benchmark: Debian's CPU build of
// torch, since the one of Python's own index brings gigabytes of CUDA, and a virtual environment for the rest.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { ROOT, say } from './command.mjs'

const FOLDER = join(ROOT, 'node_modules', '.waggle-hivemind')
const PYTHON = '/usr/bin/python3'

/** The packages that Hivemind's DHT loads, besides torch. */
const PACKAGES = [
  'base58',
  'cryptography',
  'idna>=3.10',
  'msgpack',
  'netaddr',
  'numpy<2',
  'packaging',
  'prefetch_generator',
  'protobuf',
  'py-cid',
  'py-multihash',
  'pydantic>=2',
  'PyYAML',
  'scipy<1.13',
  'sortedcontainers',
  'uvloop',
  'varint'
]

/**
 * The Python that has Hivemind: the one named by WAGGLE_HIVEMIND_PYTHON, or one that is set up here.
 * A `reason` says why there can be none.
 */
export function pythonHivemind() {
  const given = process.env.WAGGLE_HIVEMIND_PYTHON

  if (given !== undefined) {
    return hasHivemind(given)
      ? { python: given }
      : { reason: `WAGGLE_HIVEMIND_PYTHON names ${given}, which can't import hivemind` }
  }

  const python = join(FOLDER, 'bin', 'python')

  if (existsSync(python) && hasHivemind(python)) {
    return { python }
  }

  return setUp(python)
}

function setUp(python) {
  if (!hasTorch() && !installTorch()) {
    return {
      reason:
        "torch is missing, and only Debian's package is installed by itself, as root: install it, or name a Python with hivemind by WAGGLE_HIVEMIND_PYTHON"
    }
  }

  say('setting up Python Hivemind, once: about 90 MB')
  const isSetUp =
    run(PYTHON, ['-m', 'venv', '--system-site-packages', FOLDER]) &&
    run(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', 'hivemind==1.1.12']) &&
    run(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES])

  return isSetUp && hasHivemind(python)
    ? { python }
    : { reason: 'the packages of Hivemind could not be installed' }
}

function hasTorch() {
  return isRunning(PYTHON, ['-c', 'import torch'])
}

/** 150 MB, on Debian and its like. */
function installTorch() {
  if (process.getuid?.() !== 0 || !isRunning('apt-get', ['--version'])) {
    return false
  }

  say("installing Debian's torch, once: about 150 MB")
  return (
    run('apt-get', ['update', '-qq']) &&
    run('apt-get', [
      'install',
      '-y',
      '-qq',
      '--no-install-recommends',
      'python3-torch',
      'python3-venv'
    ]) &&
    hasTorch()
  )
}

function hasHivemind(python) {
  return isRunning(python, ['-c', 'import hivemind, cid'])
}

function isRunning(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function run(command, args) {
  return spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
}
