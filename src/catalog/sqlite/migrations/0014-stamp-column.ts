/** The column of a project's stamp gets the name that it has everywhere else: the serial is the journal's position alone. */
export const STAMP_COLUMN_STEP = `
  ALTER TABLE projects RENAME COLUMN serial TO stamp;
  `
