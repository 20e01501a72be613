/** All steps, in the order in which they are sent: later groups see what earlier ones left. */
import type { StepGroup } from './step.ts'
import { ACCOUNTS } from './steps/accounts.ts'
import { DELETIONS } from './steps/deletions.ts'
import { FILES } from './steps/files.ts'
import { HOSTILE } from './steps/hostile.ts'
import { INDEXES } from './steps/indexes.ts'
import { OPERATORS } from './steps/operators.ts'
import { PROJECTS } from './steps/projects.ts'
import { PUSH } from './steps/push.ts'
import { SIMPLE_PAGES } from './steps/simple-pages.ts'
import { UPLOADS } from './steps/uploads.ts'

export const GROUPS: readonly StepGroup[] = [
  ACCOUNTS,
  INDEXES,
  UPLOADS,
  PROJECTS,
  SIMPLE_PAGES,
  FILES,
  PUSH,
  DELETIONS,
  OPERATORS,
  HOSTILE,
]
