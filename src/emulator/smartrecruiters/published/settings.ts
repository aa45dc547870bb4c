/** What the vendor's documents leave open, and what tests want otherwise than it is: one place for both readings. */
export interface PublishedSettings {
  /** Does the token endpoint name the scopes it grants? */
  tellsScopes: boolean;
  /** Instead of tokens: nothing, or these words; null for tokens. */
  token: "empty" | { message: string } | null;
  /** Which scope opens the company. */
  companyScope: "company_read" | "configuration_read";
  /** How a 403 for a scope is worded: in `errors`, or in `message` alone. */
  scopeError: "code" | "message";
  /** Whether "endpoint" in the rate limits means the path's template or the path. */
  endpointIs: "template" | "path";
  /** Per endpoint and credential. */
  endpointLimit: number;
  /** How long each answer takes, so that calls are at once. */
  latencyMs: number;
  mostAtOnce: number;
  /** What the handshake carries, besides its header. */
  handshakeBody: string;
  /** Is the handshake signed, once there is a key? */
  signsHandshake: boolean;
  handshakeMs: number;
  /** A receiver that takes longer has failed. */
  answerMs: number;
  /** After so many failures in a row a subscription is suspended; 0 never. */
  suspendAfter: number;
  /** What a suspended one shows, and what activating it again answers. */
  suspendedStatus: string;
  canReactivate: boolean;
  /** Does a redelivery carry a new timestamp? */
  newTimestamp: boolean;
  /** The pauses between redeliveries; those that are not published lie between their neighbours. */
  redeliverMs: number[];
  /** How often each event is sent, as a sender that lost an answer does. */
  copies: number;
  /** What the `Link` header points at. */
  linkTo: string;
  /** Do definitions of candidate properties show the administrator's keys? */
  showsKeys: boolean;
  /** What one unknown property does to the call that writes it with others: `refuses all`, or `is skipped`. */
  unknownProperty: string;
  /** What `q` finds: `addresses` that are it, or whatever holds its `words`. */
  searchFinds: string;
  /** Is a step of a hiring process one of `names`, or one of `objects` that have one? */
  subStatusesAre: string;
  /** What a note that was taken is answered with. */
  shareStatus: number;
}

const MINUTE_MS = 60_000;

export function defaultPublished(): PublishedSettings {
  return {
    tellsScopes: false,
    token: null,
    companyScope: "configuration_read",
    scopeError: "code",
    endpointIs: "template",
    endpointLimit: 10,
    latencyMs: 0,
    mostAtOnce: 8,
    handshakeBody: "{}",
    signsHandshake: false,
    handshakeMs: 20_000,
    answerMs: 5_000,
    suspendAfter: 0,
    suspendedStatus: "suspended",
    canReactivate: true,
    newTimestamp: true,
    redeliverMs: [1, 3, 10, 45, 120, 240, 480, 960, 1_440, 1_440].map((minutes) => minutes * MINUTE_MS),
    copies: 1,
    linkTo: "https://api.smartrecruiters.com",
    showsKeys: false,
    unknownProperty: "refuses all",
    searchFinds: "addresses",
    subStatusesAre: "names",
    shareStatus: 201,
  };
}
