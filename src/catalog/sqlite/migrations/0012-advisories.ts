/** Known vulnerabilities, from OSV. */
export const ADVISORIES_STEP = `
  CREATE TABLE advisories (
    rowid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    modified TEXT NOT NULL,
    withdrawn TEXT,
    record TEXT NOT NULL
  ) STRICT;
  CREATE TABLE advisory_packages (
    rowid INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    id TEXT NOT NULL REFERENCES advisories (id) ON DELETE CASCADE,
    affected TEXT NOT NULL,
    UNIQUE (name, id)
  ) STRICT;
  CREATE INDEX advisory_packages_by_id ON advisory_packages (id);
  CREATE TABLE advisory_imports (completed TEXT NOT NULL) STRICT;
  `
