import type { Store } from "../../store/contract/store.ts";

/** The same log, of which a job finds what is one org's. */
export function ofOrg(store: Store, org: string): Store {
  return {
    ...store,
    connections: () => store.connections(org),
    dueWork: async (now) => {
      const theirs = new Set((await store.connections(org)).map(({ id }) => id));
      return (await store.dueWork(now)).filter(({ connectionId }) => theirs.has(connectionId));
    },
    overview: (_all, now) => store.overview(org, now),
    questions: (page) => store.questions({ of: { org }, ...page }),
    inviteRequests: (query) => store.inviteRequests({ ...query, org }),
  };
}
