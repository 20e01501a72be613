/** Who gets a page, who gets JSON, and at which addresses. */
import type { RuleSection } from '../rule.ts'

export const PAGES: RuleSection = {
  title: 'Pages and JSON',
  rules: [],
}
