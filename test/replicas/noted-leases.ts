/** Leases are gone once they are settled: here each stays noted, with the database's time. */
import * as v from "valibot";
import { asked } from "../store/postgres-server.ts";

const NOTE = `
  CREATE TABLE jc.leases_taken (holder bigint, at bigint);
  CREATE FUNCTION jc.note_lease() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO jc.leases_taken VALUES (new.holder, jc.now_ms()); RETURN new; END $$;
  CREATE TRIGGER noted AFTER INSERT ON jc.leases FOR EACH ROW EXECUTE FUNCTION jc.note_lease()`;

const Rows = v.array(
  v.object({ holder: v.pipe(v.string(), v.transform(Number)), at: v.pipe(v.string(), v.transform(Number)) }),
);

/** From now on. */
export async function leasesNoted(url: string): Promise<() => Promise<v.InferOutput<typeof Rows>>> {
  await asked(url, NOTE);
  return async () =>
    v.parse(Rows, await asked(url, "SELECT holder::text, at::text FROM jc.leases_taken ORDER BY at"));
}
