import type Database from "better-sqlite3";

/** Opens the log's file as it must be: private, durable at every commit, of a version this program knows. */
export type Db = Database.Database;
