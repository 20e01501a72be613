/** Search in documentation. */
export const DOCUMENTATION_SEARCH_STEP = `
  CREATE VIRTUAL TABLE search_documentation USING fts5 (text, tokenize = 'porter unicode61', prefix = '2 3');
  CREATE TRIGGER projects_leave_documentation_search AFTER DELETE ON projects BEGIN
    DELETE FROM search_documentation WHERE rowid = old.id;
  END;
  `
