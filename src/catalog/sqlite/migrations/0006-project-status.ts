/** Project statuses (PEP 792). */
export const PROJECT_STATUS_STEP = `
  ALTER TABLE projects ADD COLUMN status TEXT CHECK (status IN ('active', 'archived', 'quarantined', 'deprecated'));
  ALTER TABLE projects ADD COLUMN status_reason TEXT;
  `
