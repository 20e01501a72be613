/** What the thread says when it has a list to put in place, and waits for the number of names that have changed. */
export const STAMP_WANTED = 'stamp wanted'
