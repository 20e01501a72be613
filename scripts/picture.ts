/**
 * Makes the pictures of the documents: `docs/walkthrough.png`, a terminal, and `docs/pages.png`, a page for people.
 *
 * Everything shown happened: a real server in a temporary folder, our own client, pip from the tests' Python environment, packages
 * through the tests' relay. Run it with `bin/with-node scripts/picture.ts`, with port 3141 free and `fc-match` on PATH.
 */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { startBrowser, type TestBrowser } from '../test/programs/browser.ts'
import { cleanEnv, cleanPath } from '../test/programs/clean-env.ts'
import { type PythonClients, pythonClients, type Venv } from '../test/programs/python-clients.ts'
import { runProgram } from '../test/programs/run-program.ts'
import { CHECKOUT, startServer } from '../test/programs/server-process.ts'
import { realUpstream } from '../test/upstream/real-upstream.ts'

interface Step {
  /** As typed. */
  readonly command: string
  readonly output: string
}

/** More would make the README slow to open. */
const PICTURE_BYTES = 300_000
const PORT = '3141'
const SERVER = `http://localhost:${PORT}`
const SIMPLE = `${SERVER}/root/prod/+simple/`
/** What `use` says of files that are not there would fill half the picture. */
const LEFT_OUT = /no config file exists|^always-set-cfg|^supported features/

await using upstream = await realUpstream()
await using clients = await pythonClients()
const steps: Step[] = []
const init = ['--serverdir', 'data']
steps.push({ command: `devpi-init ${init.join(' ')}`, output: await ours('devpi-init', init) })
const serve = [...init, '--host', 'localhost', '--port', PORT]
await using server = await startServer({ program: 'compat/bin/devpi-server', args: serve, cwd: clients.home })
steps.push({ command: `devpi-server ${serve.join(' ')} &`, output: server.output().split('\n')[0] ?? '' })
await devpi('use', SERVER)
await devpi('login', 'root', '--password', '')
await devpi('index', '-c', 'prod', 'bases=root/pypi')
await devpi('use', 'root/prod')
await uploads(clients)
await devpi('list')
await using venv = await clients.freshVenv()
await installs(venv)

await using browser = await startBrowser()
const fonts = await monospace()
await picture(browser, 'walkthrough.png', {
  width: 900,
  html: terminal(steps.map(presentable), fonts),
})
await picture(browser, 'pages.png', { width: 1000, height: 740, path: '/root/prod', fonts })

async function ours(program: string, args: readonly string[], cwd = clients.home): Promise<string> {
  const env = cleanEnv(clients.home, { AIRLOCK_UPSTREAM: upstream.url, PATH: cleanPath() })
  const got = await runProgram(join(CHECKOUT, 'compat/bin', program), args, { cwd, env })
  if (got.code !== 0) throw new Error(`Cannot show "${program} ${args.join(' ')}": it failed with\n${got.output}`)
  return got.output
}

async function devpi(...args: string[]): Promise<void> {
  const typed = args.map((arg) => (arg === '' ? '""' : arg)).join(' ')
  steps.push({ command: `devpi ${typed}`, output: await ours('devpi', args) })
}

async function uploads({ home, run }: PythonClients): Promise<void> {
  const env = { PIP_INDEX_URL: upstream.url, PIP_TRUSTED_HOST: '127.0.0.1' }
  const download = ['download', '-q', '-d', 'wheels', 'jmespath', 'netaddr']
  const got = await run('pip', download, { env, timeoutMs: 300_000 })
  if (got.code !== 0) throw new Error(`Cannot download: ${got.output}`)
  const upload = ['upload', '--from-dir', 'wheels']
  const output = got.output + (await ours('devpi', upload, home))
  steps.push({ command: `pip ${download.join(' ')} && devpi ${upload.join(' ')}`, output })
}

async function installs(into: Venv): Promise<void> {
  const args = ['install', '--index-url', SIMPLE, 'netaddr', 'cryptography']
  const env = { PIP_NO_CACHE_DIR: '1', PIP_PROGRESS_BAR: 'off' }
  const got = await into.run('pip', args, { env, timeoutMs: 300_000 })
  if (got.code !== 0) throw new Error(`Cannot install: ${got.output}`)
  steps.push({ command: `pip ${args.join(' ')}`, output: got.output })
}

/** HOME as a shell shows it, and an ellipsis for lines left out. */
function presentable({ command, output }: Step): Step {
  const lines: string[] = []
  for (const line of output.trimEnd().split('\n')) {
    if (!LEFT_OUT.test(line)) lines.push(line.replaceAll(clients.home, '~'))
    else if (lines.at(-1) !== '…') lines.push('…')
  }
  return { command, output: lines.join('\n') }
}

/** A rule for each weight of this machine's own monospaced letters: the browser of the tests brings none. */
async function monospace(): Promise<string> {
  const rules = ['regular', 'bold'].map(async (weight) => {
    const query = ['-f', '%{file}', `DejaVu Sans Mono:${weight}`]
    const found = await runProgram('fc-match', query, { cwd: CHECKOUT, env: cleanEnv(CHECKOUT) })
    const bytes = await readFile(found.stdout)
    return `@font-face { font-family: "DejaVu Sans Mono"; font-weight: ${weight === 'bold' ? 700 : 400}; src: url(data:font/ttf;base64,${bytes.toString('base64')}) }`
  })
  return (await Promise.all(rules)).join('\n')
}

function terminal(shown: readonly Step[], fontRules: string): string {
  const blocks = shown.map(({ command, output }) => {
    const lines = output === '' ? '' : `\n${output.split('\n').map(coloured).join('\n')}`
    return `<div><span class="prompt">$</span> <b>${escaped(command)}</b>${lines}</div>`
  })
  return `<!doctype html><meta charset="utf-8"><style>
${fontRules}
body { margin: 0; padding: 18px; background: #ffffff00; width: 864px; }
.window { border-radius: 10px; background: #141b1f; color: #c3ced3; border: 1px solid #2b363c; }
.bar { display: flex; gap: 8px; padding: 11px 14px; border-bottom: 1px solid #232d32; }
.bar i { width: 11px; height: 11px; border-radius: 50%; background: #3a474e; }
pre { margin: 0; padding: 14px 18px 18px; font: 12.5px/1.5 "DejaVu Sans Mono"; white-space: pre-wrap; overflow-wrap: anywhere; }
pre > div + div { margin-top: 7px; }
b { color: #f1f6f7; }
.prompt { color: #5fc9b0; }
.quiet { color: #6f8089; }
.good { color: #5fc9b0; }
</style><div class="window"><div class="bar"><i></i><i></i><i></i></div><pre>${blocks.join('')}</pre></div>`
}

function coloured(line: string): string {
  const text = escaped(line)
  if (line === '…') return `<span class="quiet">${text}</span>`
  if (/^Successfully installed/.test(line)) return `<span class="good">${text}</span>`
  return text
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

/** `html` is shown whole; of the page at `path` the upper `height` pixels are. */
async function picture(
  shower: TestBrowser,
  name: string,
  what: { width: number } & ({ html: string } | { path: string; height: number; fonts: string }),
): Promise<void> {
  const viewport = { width: what.width, height: 'height' in what ? what.height : 400 }
  const options = { viewport, deviceScaleFactor: 2, bypassCSP: true, colorScheme: 'light' } as const
  await using shown = await shower.newPage(server.url, options)
  const path = join(CHECKOUT, 'docs', name)
  if ('html' in what) await shown.page.setContent(what.html)
  else {
    await shown.page.goto(what.path)
    await shown.page.addStyleTag({ content: what.fonts })
  }
  await shown.page.evaluate('document.fonts.ready')
  await shown.page.screenshot({ path, fullPage: 'html' in what, omitBackground: true })
  const { size } = await stat(path)
  if (size > PICTURE_BYTES) throw new Error(`${name} has ${size} bytes, ${PICTURE_BYTES} are the most`)
  console.log(`docs/${name}: ${size} bytes`)
}
