/** The intended differences between a real devpi-server and Airlock, by subject. */
import { ACCOUNTS } from './differences/accounts.ts'
import { FILES } from './differences/files.ts'
import { MIRRORS } from './differences/mirrors.ts'
import { PAGES } from './differences/pages.ts'
import { REFUSALS } from './differences/refusals.ts'
import { REQUESTS } from './differences/requests.ts'
import { SIMPLE_PAGES } from './differences/simple-pages.ts'
import { UPLOADS } from './differences/uploads.ts'
import type { RuleSection } from './rule.ts'

export const SECTIONS: readonly RuleSection[] = [
  REFUSALS,
  PAGES,
  ACCOUNTS,
  UPLOADS,
  SIMPLE_PAGES,
  MIRRORS,
  FILES,
  REQUESTS,
]
