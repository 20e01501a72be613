/** When each project last changed. */
export const PROJECT_STAMPS_STEP = `
  ALTER TABLE projects ADD COLUMN serial INTEGER NOT NULL DEFAULT 0;
  UPDATE projects SET serial = (
    SELECT coalesce(max(CAST(unixepoch(at, 'subsec') * 1000 AS INTEGER)), 0) FROM journal
  );
  `
