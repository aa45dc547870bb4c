import { describeStore } from "./contract.ts";
import { openDirect, openThreaded } from "./world.ts";

describeStore("the SQLite store", openDirect);
describeStore("the SQLite store in a thread of its own", openThreaded);
