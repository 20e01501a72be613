/**
 * What is done in a day, and how often: the mix of a team that installs far more than it uploads. Installers come first,
 * then uploads with all that goes wrong with them, then people with browsers; accounts and indexes change rarely.
 */
import {
  breakOffUpload,
  overwrite,
  pushRelease,
  removeSome,
  sendDocumentation,
  sendTestResult,
  uploadNew,
} from './change-private.ts'
import type { Lane } from './lane.ts'
import { comeAndGo, logInAnew, look, readDocumentation, search, sendRefused, visit } from './other-visits.ts'
import { readPrivate } from './read-private.ts'
import { readList, readPublic } from './read-public.ts'

export const MIX: readonly { readonly weight: number; readonly act: (lane: Lane) => Promise<void> }[] = [
  { weight: 400, act: readPublic },
  { weight: 250, act: readPrivate },
  { weight: 20, act: readList },
  { weight: 80, act: uploadNew },
  { weight: 25, act: overwrite },
  { weight: 20, act: breakOffUpload },
  { weight: 25, act: sendRefused },
  { weight: 40, act: removeSome },
  { weight: 25, act: pushRelease },
  { weight: 12, act: sendDocumentation },
  { weight: 15, act: readDocumentation },
  { weight: 12, act: sendTestResult },
  { weight: 80, act: look },
  { weight: 20, act: search },
  { weight: 4, act: logInAnew },
  { weight: 6, act: comeAndGo },
  { weight: 3, act: visit },
]
