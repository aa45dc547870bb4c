export const SLOW_MIGRATION_ROWS = 400_000;

/** Writes enough to be caught in the middle. */
export const SLOW_MIGRATION = `
  CREATE TABLE extra (n INTEGER PRIMARY KEY, text TEXT);
  WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${SLOW_MIGRATION_ROWS})
    INSERT INTO extra SELECT n, printf('%050d', n) FROM numbers;`;
