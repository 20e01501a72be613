/** Whether files without a name can be made where tests keep theirs: not every file system has them. */
import { closeSync, constants, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { O_TMPFILE } from '../../src/http/door/ready-files.ts'

export function hasNamelessFiles(): boolean {
  try {
    closeSync(openSync(tmpdir(), O_TMPFILE | constants.O_RDWR, 0o600))
    return true
  } catch {
    return false
  }
}
