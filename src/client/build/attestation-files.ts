/** Finds attestations next to an archive, as uv, twine and signing tools name them: `{archive}.{kind}.attestation` (PEP 740). */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LIMITS } from '../../model/limits.ts'

/** Attestations that cannot be sent; the message says why. */
export class AttestationUnusable extends Error {
  override readonly name = 'AttestationUnusable'
}

/** Files that are sent with the archive they lie beside, and not by themselves. */
export function isAttestationFile(path: string): boolean {
  return /.\.[\w-]+\.attestation$/.test(basename(path))
}

/** The upload form's field `attestations` for the archive at `path`; `undefined` where none lie beside it. Throws `AttestationUnusable`. */
export async function attestationsBeside(path: string): Promise<string | undefined> {
  const archive = basename(path)
  const names = (await readdir(dirname(path))).filter(
    (name) => name.startsWith(`${archive}.`) && /^\.[\w-]+\.attestation$/.test(name.slice(archive.length)),
  )
  if (names.length === 0) return undefined
  const attestations: unknown[] = []
  for (const name of names.sort()) attestations.push(await readAttestationFile(join(dirname(path), name)))
  return JSON.stringify(attestations)
}

async function readAttestationFile(path: string): Promise<unknown> {
  const { size } = await stat(path)
  if (size > LIMITS.attestationBytes) {
    throw new AttestationUnusable(`Cannot send "${basename(path)}": it has ${size} bytes, too many for an attestation`)
  }
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new AttestationUnusable(`Cannot send "${basename(path)}": it is no JSON; sign the archive again`, {
      cause: error,
    })
  }
}
