import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempFolder } from '../world/temp-folder.ts'
import { pythonClients } from './python-clients.ts'

test('pythonClients() runs the pinned version of every client', async () => {
  await using clients = await pythonClients()
  const pins = await readFile(join(import.meta.dirname, 'python-clients.txt'), 'utf8')
  // One pin, or two for two ranges of Python versions.
  const pinned = (name: string) => [...pins.matchAll(new RegExp(`^${name}==([^;\\s]+)`, 'gm'))].map(([, pin]) => pin!)
  for (const [client, name] of [
    ['pip', 'pip'],
    ['uv', 'uv'],
    ['twine', 'twine'],
    ['devpi', 'devpi-client'],
    ['pyproject-build', 'build'],
  ] as const) {
    const { code, output } = await clients.run(client, ['--version'])
    assert.equal(code, 0, output)
    assert.ok(
      pinned(name).some((pin) => output.includes(pin)),
      `${client} says ${output}`,
    )
  }
})

test('pythonClients() passes nothing of the machine on', async () => {
  process.env.PIP_INDEX_URL = 'http://127.0.0.1:9/machine/simple/'
  process.env.HTTPS_PROXY = 'http://127.0.0.1:9'
  try {
    await using clients = await pythonClients()
    const seen = await clients.run('python', ['-c', 'import json, os; print(json.dumps(dict(os.environ)))'])
    const env = JSON.parse(seen.stdout)
    assert.deepEqual([env.PIP_INDEX_URL, env.HTTPS_PROXY, env.HOME], [undefined, undefined, clients.home])
    const config = await clients.run('pip', ['config', 'list'])
    assert.doesNotMatch(config.output, /index-url|find-links|proxy/)
  } finally {
    delete process.env.PIP_INDEX_URL
    delete process.env.HTTPS_PROXY
  }
})

test('pythonClients() refuses to change what all tests share', async () => {
  await using clients = await pythonClients()
  await assert.rejects(clients.run('pip', ['install', 'acme']), /use freshVenv\(\)/)
  await assert.rejects(clients.run('pip', ['--quiet', 'uninstall', 'wheel']), /use freshVenv\(\)/)
})

test('freshVenv() has a pip that installs into it, and uv does too', async () => {
  await using clients = await pythonClients()
  await using folder = await tempFolder()
  await using venv = await clients.freshVenv()
  const wheel = join(folder.path, 'acme-1.0-py3-none-any.whl')
  const zip = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('acme.py', 'print("hello from acme")')
    wheel.writestr('acme-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: acme\\nVersion: 1.0\\n')
    wheel.writestr('acme-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('acme-1.0.dist-info/RECORD', '')`
  assert.equal((await clients.run('python', ['-c', zip, wheel])).code, 0)
  const installed = await venv.run('pip', ['install', '--no-index', wheel])
  assert.equal(installed.code, 0, installed.output)
  assert.equal((await venv.run('python', ['-m', 'acme'])).stdout, 'hello from acme\n')
  assert.notEqual((await clients.run('python', ['-m', 'acme'])).code, 0)
  const removed = await venv.run('uv', ['pip', 'uninstall', 'acme'])
  assert.equal(removed.code, 0, removed.output)
  assert.notEqual((await venv.run('python', ['-m', 'acme'])).code, 0)
})

test('run() kills a program that takes too long, with what it started', async () => {
  await using clients = await pythonClients()
  const script = `import subprocess, sys; print("begun", flush=True); subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"])`
  await assert.rejects(clients.run('python', ['-c', script], { timeoutMs: 700 }), /within 700 ms; it printed:\nbegun/)
})
