/**
 * devpi-process, the package that other projects' tests start a devpi with: it looks for `devpi-init`, `devpi-server` and
 * `devpi` beside the Python that runs it, and waits for the line with the address.
 */
import assert from 'node:assert/strict'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { wheel } from '../builders/wheels.ts'
import { pythonClients } from '../programs/python-clients.ts'
import { PYTHON_ENVIRONMENT } from '../programs/python-environment.ts'
import { CHECKOUT } from '../programs/server-process.ts'
import { realUpstream } from '../upstream/real-upstream.ts'

/** What a project's conftest.py does with it, and a look at what is there afterwards. */
const SCRIPT = `
import json, sys, urllib.request
from pathlib import Path
from devpi_process import IndexServer

folder, file = Path(sys.argv[1]), Path(sys.argv[2])
with IndexServer(folder) as server:
    index = server.create_index("magic", "volatile=False")
    index.use()
    index.upload(file)
    request = urllib.request.Request(f"{index.url}acme/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    page = json.load(urllib.request.urlopen(request))
    listed = json.load(urllib.request.urlopen(f"{server.url}/root/magic"))
    pypi = urllib.request.urlopen(f"{server.url}/root").read().decode()
    process = server._process
print(json.dumps({
    "url": index.url,
    "files": [each["filename"] for each in page["files"]],
    "projects": listed["result"]["projects"],
    "volatile": listed["result"]["volatile"],
    "hasPypi": '"pypi"' in pypi,
    "ended": process.wait(timeout=60),
}))
`

const PROGRAMS = join(CHECKOUT, 'compat', 'bin')

for (const [what, client] of [
  ['our devpi', join(PROGRAMS, 'devpi')],
  ["devpi-client's devpi", join(PYTHON_ENVIRONMENT, 'bin', 'devpi')],
] as const) {
  test(`devpi-process starts this server, and fills it with ${what}`, { timeout: 600_000 }, async () => {
    await using upstream = await realUpstream()
    await using clients = await pythonClients()
    const venv = await clients.freshVenv()
    // What it depends on is devpi-server and devpi-client themselves: these programs stand in for them.
    const install = ['install', '--quiet', '--no-deps', '--index-url', upstream.url, 'devpi-process>=1,<2']
    const installed = await venv.run('pip', install, { timeoutMs: 300_000 })
    assert.equal(installed.code, 0, installed.output)
    for (const name of ['devpi-init', 'devpi-server']) await symlink(join(PROGRAMS, name), join(venv.path, 'bin', name))
    await symlink(client, join(venv.path, 'bin', 'devpi'))
    const file = wheel({ name: 'acme', version: '1.0' })
    await writeFile(join(clients.home, file.filename), file.bytes)
    await writeFile(join(clients.home, 'fill.py'), SCRIPT)
    const filled = await venv.run('python', ['fill.py', clients.home, file.filename], { timeoutMs: 300_000 })
    assert.equal(filled.code, 0, filled.output)
    // Before it, devpi-process says that the server has ended.
    const last = filled.stdout.trim().split('\n').at(-1)!
    const { url, ended, ...found } = JSON.parse(last) as Record<string, unknown>
    assert.match(String(url), /^http:\/\/localhost:\d+\/root\/magic\/\+simple\/$/)
    assert.deepEqual(found, { files: [file.filename], projects: ['acme'], volatile: false, hasPypi: false })
    // It is told to end, and does so in order.
    assert.equal(ended, 0)
  })
}
