import { type Action, beyondScope, type Principal } from '../../model/access.ts'
import { Problem } from '../../model/errors.ts'

/** The refusal of `what` (`to yank on alice/dev`) on the index: log in, use another token, or be listed. */
export function notPermitted(who: Principal, action: Action, what: string, index: string): Problem {
  const beyond = beyondScope(who, action)
  if (beyond !== undefined) return new Problem('not-allowed', `no permission ${what}: ${beyond}`)
  if (who.name === undefined) {
    return new Problem('login-required', `no permission ${what} without login`, {
      hint: 'send a user name and password, or log in first',
    })
  }
  return new Problem('not-allowed', `no permission ${what}`, { hint: `acl_upload of ${index} says who may` })
}
