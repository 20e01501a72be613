/** What upstream says of a file of a mirror. */
export const FILES_UPSTREAM_STEP = `ALTER TABLE files ADD COLUMN upstream TEXT;`
