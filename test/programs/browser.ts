/** A real browser, and what it complains about. It can reach this machine only. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type TempFolder, tempFolder } from '../world/temp-folder.ts'
import { type Chromium, unpackedChromium } from './chromium.ts'
import { cleanEnv } from './clean-env.ts'

export interface Complaint {
  /**
   * `console`: an error was written to the console (a resource that answers 404 is one). `script`: an exception nobody caught.
   * `policy`: the Content Security Policy forbade something. `address`: another address than the server's was asked for.
   */
  readonly kind: 'console' | 'script' | 'policy' | 'address'
  readonly text: string
}

export interface TestPage extends AsyncDisposable {
  readonly page: Page
  /** In order; empty is what a test wants to see. */
  readonly complaints: readonly Complaint[]
}

export interface TestBrowser extends AsyncDisposable {
  readonly version: string
  /**
   * An empty page with storage of its own, at home on `serverUrl`: paths given to `page.goto()` are taken from there, and requests to
   * any other origin are refused and complained about, unless it is among `others`.
   */
  newPage(serverUrl: string, options?: BrowserContextOptions, others?: readonly string[]): Promise<TestPage>
}

const FLAGS = [
  // Without user namespaces, as in a container, and as root, there is no sandbox. Only pages of this machine are shown.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
  '--no-proxy-server',
]

/** The page's requests are watched below; this is for whatever else the browser would like to ask. */
function resolverRules(names: readonly string[]): string {
  const here = names.map((name) => `MAP ${name} 127.0.0.1, `).join('')
  return `--host-resolver-rules=${here}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]`
}

export interface BrowserOptions {
  /** Names that lead to this machine, as somebody's DNS may say of them. */
  readonly names?: readonly string[]
}

/** Unpacks the browser first where that has not been done (three seconds). Takes a quarter of a second then. */
export async function startBrowser({ names = [] }: BrowserOptions = {}): Promise<TestBrowser> {
  const unpacked = await unpackedChromium()
  const home = await tempFolder()
  const browser = await launch(unpacked, home, [
    ...FLAGS,
    resolverRules(names),
    // Not every browser asks its user before a page of elsewhere may reach this machine: a name from elsewhere is to be judged by us.
    ...(names.length > 0 ? ['--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests'] : []),
  ])
  return {
    version: browser.version(),
    newPage: (serverUrl, options, others) => newPage(browser, serverUrl, options, others),
    async [Symbol.asyncDispose]() {
      await browser.close()
      await home.remove()
    },
  }
}

async function launch(unpacked: Chromium, home: TempFolder, args: string[]): Promise<Browser> {
  const env = cleanEnv(home.path, { FONTCONFIG_FILE: unpacked.fontsFile })
  const options = { executablePath: unpacked.executable, headless: true, args, timeout: 30_000 }
  try {
    return await chromium.launch({ ...options, env })
  } catch (error) {
    if (!String(error).includes('error while loading shared libraries')) throw error
    return await chromium.launch({ ...options, env: { ...env, LD_LIBRARY_PATH: unpacked.libraries } })
  }
}

async function newPage(
  browser: Browser,
  serverUrl: string,
  options: BrowserContextOptions = {},
  others: readonly string[] = [],
): Promise<TestPage> {
  const origins = [serverUrl, ...others].map((each) => new URL(each).origin)
  const complaints: Complaint[] = []
  const context = await browser.newContext({ baseURL: serverUrl, serviceWorkers: 'block', ...options })
  context.setDefaultTimeout(10_000)
  await context.route(
    (url) => !origins.includes(url.origin) && /^(https?|wss?):$/.test(url.protocol),
    async (route) => {
      complaints.push({ kind: 'address', text: `${route.request().method()} ${route.request().url()}` })
      await route.abort('blockedbyclient')
    },
  )
  const page = await context.newPage()
  page.on('pageerror', (error) => complaints.push({ kind: 'script', text: error.message }))
  page.on('console', (message) => {
    if (message.type() !== 'error') return
    const text = `${message.text()} (${message.location().url})`
    // A refused address was complained about above, with its method.
    if (/ERR_BLOCKED_BY_CLIENT/.test(text)) return
    complaints.push({ kind: /Content Security Policy/i.test(text) ? 'policy' : 'console', text })
  })
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() }
}
