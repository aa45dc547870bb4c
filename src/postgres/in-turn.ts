/**
 * Work of one name goes one after the other, in the order in which it came: who needs a lock that others of this process hold
 * waits here, and keeps none of the connections to the database that those need who would end. Where one fails, all that
 * wait behind it fail with it: they would meet the same database, each after a patience of its own.
 */
export function createOrder<Name>(): <Result>(name: Name, work: () => Promise<Result>) => Promise<Result> {
  const last = new Map<Name, Promise<unknown>>();
  return (name, work) => {
    const result = (last.get(name) ?? Promise.resolve()).then(work);
    last.set(name, result);
    const forget = () => {
      if (last.get(name) === result) last.delete(name);
    };
    result.then(forget, forget);
    return result;
  };
}
