/** Every difference between a real devpi-server and Airlock that is meant, by what it is about. */
import { PAGES } from './differences/pages.ts'
import { REFUSALS } from './differences/refusals.ts'
import { SIMPLE_PAGES } from './differences/simple-pages.ts'
import type { RuleSection } from './rule.ts'

export const SECTIONS: readonly RuleSection[] = [REFUSALS, PAGES, SIMPLE_PAGES]
